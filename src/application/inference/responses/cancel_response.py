from dataclasses import dataclass
from typing import NoReturn

from application.inference.responses.ports import StoredResponses
from application.inference.responses.viewing import visible
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.shared.errors import InvalidError


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelResponseCommand:
    """``name`` is what the client calls the response."""

    actor: Actor
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelResponse:
    """Always refuses: only responses that are made in the background can be cancelled, and here
    none are. Closing its connection cancels a response that is being made."""

    responses: StoredResponses
    clock: Clock

    async def __call__(self, command: CancelResponseCommand) -> NoReturn:
        await visible(self.responses, command.actor, command.name, self.clock.now())
        raise InvalidError("Cannot cancel a synchronous response.")
