from dataclasses import dataclass, replace

from application.inference.responses.ports import StoredResponses
from application.inference.responses.viewing import named, viewer_of
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteResponseCommand:
    """``name`` is what the client calls the response."""

    actor: Actor
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteResponse:
    """Deletes a response that the caller made. Responses that go on from it stay, but nobody can
    go on from those."""

    responses: StoredResponses
    clock: Clock

    async def __call__(self, command: DeleteResponseCommand) -> None:
        command.actor.require(Permission.INVOKE_MODELS)
        viewer = replace(viewer_of(command.actor, self.clock.now()), sees_all=False)
        await self.responses.remove(viewer, named(command.name))
