from dataclasses import dataclass

from application.inference.responses.ports import StoredResponses
from application.inference.responses.viewing import visible
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.inference.stored_response import StoredResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResponseQuery:
    """``name`` is what the client calls the response."""

    actor: Actor
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResponse:
    """Shows a response that was kept: to whoever made it, and to all of the team who may see its
    calls."""

    responses: StoredResponses
    clock: Clock

    async def __call__(self, query: GetResponseQuery) -> StoredResponse:
        return await visible(self.responses, query.actor, query.name, self.clock.now())
