"""What keeping responses needs from outside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.shared.ports import UnitOfWork
from domain.inference.stored_response import Item, ResponseStatus, StoredResponse
from domain.models.served_model import Capability
from domain.shared.errors import StoaError
from domain.shared.ids import KeyId, ResponseId, TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseViewer:
    """Who looks for responses: those of the team that the key or the user has made, or all where
    ``sees_all``. What has expired ``at`` that moment is there no more."""

    team_id: TeamId
    key_id: KeyId | None
    user_id: UserId | None
    sees_all: bool
    at: datetime


class StoredResponses(Protocol):
    """The responses that are kept. Nobody finds what is another team's, or not for the viewer."""

    async def add(self, response: StoredResponse) -> None:
        """Once it has returned, the response is durable, and every node finds it."""
        ...

    async def get(self, viewer: ResponseViewer, response_id: ResponseId) -> StoredResponse:
        """Raises ``ResponseNotFoundError``."""
        ...

    async def chain(
        self, viewer: ResponseViewer, response_id: ResponseId, *, most: int, most_bytes: int
    ) -> Sequence[Item]:
        """The items of the response and of all those before it, input and output, oldest first.
        Raises ``PreviousResponseNotFoundError`` that names the one which is not there (any more),
        and ``ResponseChainTooLongError`` for more responses or bytes than ``most``."""
        ...

    async def items(self, viewer: ResponseViewer, ids: Sequence[str]) -> Mapping[str, Item]:
        """Those of the items that are there, the newest of each id."""
        ...


class KeptResponses(Protocol):
    """The same responses inside a unit of work."""

    async def remove(self, viewer: ResponseViewer, response_id: ResponseId) -> None:
        """Raises ``ResponseNotFoundError``."""
        ...


class ResponsesUnitOfWork(UnitOfWork, Protocol):
    @property
    def kept_responses(self) -> KeptResponses: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedResponse:
    """What a request for a response says of keeping. ``input`` are its items as they are kept,
    ``places`` where they stand, counted from the end (-1); ``references`` are the ids of items that
    it only names."""

    store: bool | None
    previous: str | None
    input: tuple[Item, ...]
    places: tuple[int, ...]
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseStamp:
    """What Stoa itself says of a response, whatever the provider did. ``body`` is the request as
    the client sent it."""

    id: ResponseId
    created_at: datetime
    previous: str | None
    store: bool
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedResponse:
    """``body`` is for the client: a whole answer, or the last event of a stream."""

    body: bytes
    document: str
    status: ResponseStatus
    output: tuple[Item, ...]


class ResponseStream(Protocol):
    """Stamps one stream of events that goes by."""

    def feed(self, block: bytes) -> bytes:
        """What of these events goes on to the client now: all but the last event of the response,
        which ``ended`` is for."""
        ...

    def ended(self) -> StampedResponse | None:
        """``None`` as long as the response has not ended."""
        ...

    def cut(self, error: StoaError | None) -> StampedResponse:
        """The response so far, when it ends without an end of its own: with an error, or because
        the client hung up."""
        ...

    def restamped(self, *, store: bool) -> bytes:
        """The last event, with another word on whether the response was kept."""
        ...


class ResponseFormat(Protocol):
    """The wire format of responses, as far as keeping them needs it."""

    def read(self, body: bytes, response_id: ResponseId) -> AskedResponse:
        """``response_id`` is what items without an id are named after. Raises ``InvalidError``."""
        ...

    def for_provider(
        self, body: bytes, *, before: Sequence[Item], referred: Mapping[str, Item]
    ) -> bytes:
        """The request with all items in it: those ``before``, then its own with what they refer
        to. Raises ``InvalidError`` for a reference to nothing."""
        ...

    def sent(self, body: bytes, asked: AskedResponse) -> tuple[Item, ...]:
        """The items of ``asked.input`` as they stand in the request that went on."""
        ...

    def needs(self, items: Iterable[Item]) -> frozenset[Capability]:
        """What a model must be able to read to go on from the items."""
        ...

    def stamped(self, body: bytes, stamp: ResponseStamp) -> StampedResponse:
        """A whole answer under Stoa's name for it."""
        ...

    def stream(self, stamp: ResponseStamp, *, keeps: bool) -> ResponseStream:
        """``keeps`` is whether ``cut`` will be asked for what was said."""
        ...
