import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from application.inference.responses.ports import (
    KeptResponses,
    ResponsesUnitOfWork,
    ResponseViewer,
    StoredResponses,
)
from domain.inference.response_errors import (
    PreviousResponseNotFoundError,
    ResponseChainTooLongError,
    ResponseNotFoundError,
)
from domain.inference.stored_response import Item, StoredResponse, response_name
from domain.operations.audit import AuditEntry
from domain.shared.ids import ResponseId
from tests.fakes.gate import Gate
from tests.fakes.records import InMemoryAuditTrail, InMemoryEventLog


class InMemoryStoredResponses(StoredResponses, KeptResponses):
    """``adding`` can hold up what is stored, and make it fail."""

    def __init__(self) -> None:
        self.rows: dict[ResponseId, StoredResponse] = {}
        self.adding = Gate()

    async def add(self, response: StoredResponse) -> None:
        await self.adding.passed()
        self.rows[response.id] = response

    async def get(self, viewer: ResponseViewer, response_id: ResponseId) -> StoredResponse:
        found = self._find(viewer, response_id)
        if found is None:
            raise ResponseNotFoundError(response_name(response_id))
        return found

    async def chain(
        self, viewer: ResponseViewer, response_id: ResponseId, *, most: int, most_bytes: int
    ) -> Sequence[Item]:
        links: list[StoredResponse] = []
        wanted: ResponseId | None = response_id
        while wanted is not None:
            found = self._find(viewer, wanted)
            if found is None:
                raise PreviousResponseNotFoundError(response_name(wanted))
            links.insert(0, found)
            if len(links) > most or sum(map(_bytes, links)) > most_bytes:
                raise ResponseChainTooLongError
            wanted = found.previous_id
        return [item for link in links for item in (*link.input, *link.output)]

    async def items(self, viewer: ResponseViewer, ids: Sequence[str]) -> Mapping[str, Item]:
        return {
            item.id: item
            for response_id in sorted(self.rows)
            if (response := self._find(viewer, response_id)) is not None
            for item in (*response.input, *response.output)
            if item.id in ids and item.can_be_referred_to
        }

    async def remove(self, viewer: ResponseViewer, response_id: ResponseId) -> None:
        await self.get(viewer, response_id)
        del self.rows[response_id]

    def _find(self, viewer: ResponseViewer, response_id: ResponseId) -> StoredResponse | None:
        found = self.rows.get(response_id)
        if found is None or found.team_id != viewer.team_id:
            return None
        if found.expires_at is not None and found.expires_at <= viewer.at:
            return None
        is_own_key = viewer.key_id is not None and found.key_id == viewer.key_id
        is_own = viewer.user_id is not None and found.user_id == viewer.user_id
        return found if viewer.sees_all or is_own_key or is_own else None


class InMemoryResponsesUnitOfWork(ResponsesUnitOfWork):
    def __init__(self, responses: InMemoryStoredResponses) -> None:
        self.responses = responses
        self.recorded: list[AuditEntry] = []
        self._before: dict[ResponseId, StoredResponse] = {}

    async def __aenter__(self) -> Self:
        self._before = dict(self.responses.rows)
        self._audit: list[AuditEntry] = []
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.responses.rows = self._before

    async def commit(self) -> None:
        self._before = self.responses.rows
        self.recorded += self._audit

    @property
    def kept_responses(self) -> InMemoryStoredResponses:
        return self.responses

    @property
    def audit(self) -> InMemoryAuditTrail:
        return InMemoryAuditTrail(self._audit)

    @property
    def events(self) -> InMemoryEventLog:
        return InMemoryEventLog([])


def _bytes(response: StoredResponse) -> int:
    return sum(len(item.json.encode()) for item in (*response.input, *response.output))


def an_item(item_id: str, text: str = "Hi") -> Item:
    content = [{"type": "input_text", "text": text}]
    members = {"id": item_id, "type": "message", "role": "user", "content": content}
    return Item(id=item_id, json=json.dumps(members))
