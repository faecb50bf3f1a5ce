from dataclasses import dataclass, replace

from application.inference.responses.ports import ResponsesUnitOfWork
from application.inference.responses.viewing import named, viewer_of
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
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

    uow: ResponsesUnitOfWork
    auditor: Auditor
    clock: Clock

    async def __call__(self, command: DeleteResponseCommand) -> None:
        command.actor.require(Permission.INVOKE_MODELS)
        viewer = replace(viewer_of(command.actor, self.clock.now()), sees_all=False)
        response_id = named(command.name)
        async with self.uow as tx:
            await tx.kept_responses.remove(viewer, response_id)
            await self.auditor.record(
                tx, command.actor, "response.deleted", Target("response", response_id)
            )
            await tx.commit()
