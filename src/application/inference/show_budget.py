from dataclasses import dataclass

from application.inference.allowance_ports import BudgetReader
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.allowance import Subject, SubjectKind
from domain.identity.permissions import Permission
from domain.inference.budget import Budget
from domain.inference.errors import BudgetNotFoundError
from domain.shared.errors import ForbiddenError
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowBudgetQuery:
    actor: Actor
    subject: Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowBudget:
    """Shows what has become of a budget in its present period.

    Everybody sees the budgets that bound him: his own, that of his key and that of his team. Those
    of others need the permission `limits.manage` or `calls.read`.
    """

    reader: BudgetReader
    clock: Clock

    async def __call__(self, query: ShowBudgetQuery) -> Budget:
        actor, subject = query.actor, query.subject
        team_id = actor.team_id
        if subject.kind is SubjectKind.TEAM:
            # Another team is as unknown as one that does not exist, but not to operators.
            if subject.id != team_id and not actor.may(Permission.MANAGE_SERVER):
                raise BudgetNotFoundError
            team_id = TeamId(subject.id)
        elif subject.id not in (actor.user_id, actor.key_id):
            _require_any(actor, Permission.READ_CALLS, Permission.MANAGE_LIMITS)
        budget = await self.reader.find(team_id, subject, self.clock.now())
        if budget is None:
            raise BudgetNotFoundError
        return budget


def _require_any(actor: Actor, *permissions: Permission) -> None:
    if not any(map(actor.may, permissions)):
        names = " or ".join(f"'{permission}'" for permission in permissions)
        raise ForbiddenError(f"This needs the permission {names}.")
