from collections.abc import Mapping
from dataclasses import dataclass

from application.shared.actor import Actor
from application.shared.correlation import correlation_id, origin
from application.shared.masking import mask
from application.shared.ports import Clock, IdGenerator, UnitOfWork
from domain.operations.audit import AuditEntry
from domain.shared.ids import AuditId

Members = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Target:
    """What an action was done to: ``Target("key", key.id)``."""

    type: str
    id: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """Writes audit rows into the transaction of the action that they record."""

    clock: Clock
    ids: IdGenerator

    async def record(
        self,
        tx: UnitOfWork,
        actor: Actor,
        action: str,
        target: Target,
        *,
        before: Members | None = None,
        after: Members | None = None,
    ) -> None:
        """Record the action with the members that it changed. Members that are the same in
        ``before`` and ``after`` are left out, and secrets are masked by their names."""
        changed_before, changed_after = _changes(before, after)
        came_from = origin.get()
        await tx.audit.add(
            AuditEntry(
                id=AuditId(self.ids.new()),
                team_id=actor.team_id,
                at=self.clock.now(),
                actor_kind=actor.kind,
                user_id=actor.user_id,
                key_id=actor.key_id,
                action=action,
                target_type=target.type,
                target_id=str(target.id),
                before=changed_before,
                after=changed_after,
                correlation_id=correlation_id.get(),
                address=came_from.address,
                user_agent=came_from.user_agent,
            )
        )


def _changes(
    before: Members | None, after: Members | None
) -> tuple[Members | None, Members | None]:
    if before is None or after is None:
        return _masked(before), _masked(after)
    changed = {name for name in {**before, **after} if before.get(name) != after.get(name)}
    return (
        _masked({name: value for name, value in before.items() if name in changed}),
        _masked({name: value for name, value in after.items() if name in changed}),
    )


def _masked(members: Members | None) -> Members | None:
    if members is None:
        return None
    return {name: mask(value, name=name) for name, value in members.items()}
