from dataclasses import dataclass
from uuid import UUID

from application.operations.records.ports import ErrorReader, ErrorsUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from domain.identity.permissions import Permission
from domain.operations.technical_error import ErrorGroup, ErrorState

ACTIONS = {
    ErrorState.OPEN: "error.reopened",
    ErrorState.RESOLVED: "error.resolved",
    ErrorState.IGNORED: "error.ignored",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeErrorStateCommand:
    """``wanted`` is the id of a group, or of one of its occurrences."""

    actor: Actor
    wanted: UUID
    state: ErrorState


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeErrorState:
    """Resolves, ignores or reopens a group of errors; a state that it is in already stays."""

    uow: ErrorsUnitOfWork
    reader: ErrorReader
    auditor: Auditor
    clock: Clock

    async def __call__(self, command: ChangeErrorStateCommand) -> ErrorGroup:
        actor, state = command.actor, command.state
        actor.require(Permission.MANAGE_ERRORS)
        found = await self.reader.find(command.wanted)
        async with self.uow as tx:
            group = await tx.error_groups.get(found.group.id)
            before = group.state
            if state is not before:
                group.change(state, at=self.clock.now(), by=actor.user_id)
                await tx.error_groups.save(group)
                await self.auditor.record(
                    tx,
                    actor,
                    ACTIONS[state],
                    Target("error", group.id),
                    before={"state": str(before)},
                    after={"state": str(state)},
                )
                await tx.commit()
        return group
