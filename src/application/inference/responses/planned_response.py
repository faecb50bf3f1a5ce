from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from application.inference.call_trace import CallTrace
from application.inference.model_command import InvokeModelCommand
from application.inference.refuse_call import RefuseCall, RefuseCallCommand
from application.inference.responses.ports import (
    AskedResponse,
    ResponseFormat,
    ResponseStamp,
    ResponseViewer,
    StampedResponse,
    StoredResponses,
)
from application.inference.responses.viewing import viewer_of
from application.operations.ports import RuntimeSettings
from application.shared.ports import Clock
from domain.identity.permissions import Permission
from domain.inference.response_errors import PreviousResponseNotFoundError, StoringDisabledError
from domain.inference.stored_response import Item, StoredResponse, response_id_of
from domain.operations.response_settings import RETENTION_RESPONSES_DAYS, STORE_RESPONSES
from domain.shared.errors import FunctionalError
from domain.shared.ids import ResponseId, TeamId

# What a conversation may consist of, all its responses together.
MOST_RESPONSES = 1000
MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedResponse:
    """``command`` is the call with the whole conversation in it, and ``trace`` what becomes of
    it."""

    command: InvokeModelCommand
    trace: CallTrace
    stamp: ResponseStamp
    asked: AskedResponse
    format: ResponseFormat
    expires_at: datetime | None

    @property
    def admitted_stamp(self) -> ResponseStamp:
        """The stamp when the call is on its way, which may have changed what was asked."""
        changed = self.trace.body
        return self.stamp if changed is None else replace(self.stamp, body=changed)

    @property
    def stores(self) -> bool:
        return self.stamp.store

    def stored(self, response: StampedResponse) -> StoredResponse:
        actor, stamp = self.command.actor, self.stamp
        # What was made unreadable on its way must not be read here either.
        changed = self.trace.body
        said = self.asked.input if changed is None else self.format.sent(changed, self.asked)
        return StoredResponse(
            id=stamp.id,
            team_id=actor.team_id,
            key_id=actor.key_id,
            user_id=actor.user_id,
            model=self.command.model,
            status=response.status,
            created_at=stamp.created_at,
            input=said,
            output=response.output,
            document=response.document,
            previous_id=None if stamp.previous is None else response_id_of(stamp.previous),
            expires_at=self.expires_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsePlan:
    """Says whether a response will be kept, and finds what it goes on from."""

    responses: StoredResponses
    format: ResponseFormat
    settings: RuntimeSettings
    refuse: RefuseCall
    clock: Clock

    async def of(self, command: InvokeModelCommand) -> PlannedResponse:
        """Raises ``FunctionalError`` for a refusal, which has a row in the ledger."""
        started = self.clock.monotonic()
        try:
            return await self._plan(command)
        except FunctionalError as error:
            await self.refuse(
                RefuseCallCommand(
                    actor=command.actor,
                    call_id=command.call_id,
                    correlation_id=command.correlation_id,
                    operation=command.operation,
                    error=error,
                    elapsed_ms=(self.clock.monotonic() - started) * 1000,
                    model=command.model,
                    stream=command.stream,
                    tags=command.tags,
                )
            )
            raise

    async def _plan(self, command: InvokeModelCommand) -> PlannedResponse:
        now, actor = self.clock.now(), command.actor
        actor.require(Permission.INVOKE_MODELS)
        response_id = ResponseId(command.call_id)
        asked = self.format.read(command.body, response_id)
        stores = self._stores(asked, actor.team_id)
        viewer = viewer_of(actor, now)
        before = await self._before(viewer, asked)
        referred = await self.responses.items(viewer, asked.references) if asked.references else {}
        body = self.format.for_provider(command.body, before=before, referred=referred)
        days = self.settings.get(RETENTION_RESPONSES_DAYS, actor.team_id)
        trace = command.trace or CallTrace()
        return PlannedResponse(
            trace=trace,
            command=replace(
                command,
                trace=trace,
                body=body,
                conversation=command.conversation
                or (_conversation((*before, *asked.input)) if before or stores else None),
                needs=command.needs | self.format.needs((*before, *referred.values())),
            ),
            stamp=ResponseStamp(
                id=response_id,
                created_at=now,
                previous=asked.previous,
                store=stores,
                body=command.body,
            ),
            asked=asked,
            format=self.format,
            expires_at=now + timedelta(days=days) if days else None,
        )

    def _stores(self, asked: AskedResponse, team_id: TeamId) -> bool:
        is_allowed = self.settings.get(STORE_RESPONSES, team_id)
        if asked.store and not is_allowed:
            raise StoringDisabledError
        return is_allowed if asked.store is None else asked.store

    async def _before(self, viewer: ResponseViewer, asked: AskedResponse) -> tuple[Item, ...]:
        if asked.previous is None:
            return ()
        previous = response_id_of(asked.previous)
        if previous is None:
            raise PreviousResponseNotFoundError(asked.previous)
        found = await self.responses.chain(
            viewer, previous, most=MOST_RESPONSES, most_bytes=MOST_BYTES
        )
        return tuple(found)


def _conversation(items: tuple[Item, ...]) -> str | None:
    """What all responses of a conversation have in common: the item that it began with."""
    return items[0].id if items else None
