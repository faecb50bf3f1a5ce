from dishka import FromDishka
from litestar import Controller, get
from litestar.di import NamedDependency

from adapters.http.budgets.schemas import BudgetView
from adapters.http.parameters import IdParameter, parse_id
from application.inference.show_budget import ShowBudget, ShowBudgetQuery
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.allowance import Subject, SubjectKind
from domain.inference.errors import BudgetNotFoundError


class BudgetsController(Controller):
    tags = ("inference",)

    @get(
        "/keys/{key_id:str}/budget",
        operation_id="get_key_budget",
        summary="Show the budget of an API key",
    )
    async def get_key_budget(
        self,
        key_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ShowBudget],
        clock: FromDishka[Clock],
    ) -> BudgetView:
        """Shows what has become of a key's budget in its present period. Every key sees its own;
        others need the permission `calls.read` or `limits.manage`."""
        query = ShowBudgetQuery(actor=actor, subject=_subject(SubjectKind.KEY, key_id))
        return BudgetView.of(await use_case(query), clock.now())

    @get(
        "/users/{user_id:str}/budget",
        operation_id="get_user_budget",
        summary="Show the budget of a user",
    )
    async def get_user_budget(
        self,
        user_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ShowBudget],
        clock: FromDishka[Clock],
    ) -> BudgetView:
        """Shows what has become of a user's budget in the caller's team, in its present period.
        Everybody sees his own; others need the permission `calls.read` or `limits.manage`."""
        query = ShowBudgetQuery(actor=actor, subject=_subject(SubjectKind.USER, user_id))
        return BudgetView.of(await use_case(query), clock.now())

    @get(
        "/teams/{team_id:str}/budget",
        operation_id="get_team_budget",
        summary="Show the budget of a team",
    )
    async def get_team_budget(
        self,
        team_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ShowBudget],
        clock: FromDishka[Clock],
    ) -> BudgetView:
        """Shows what has become of the team's budget in its present period. It is that of the
        caller's own team; operators see any."""
        query = ShowBudgetQuery(actor=actor, subject=_subject(SubjectKind.TEAM, team_id))
        return BudgetView.of(await use_case(query), clock.now())


def _subject(kind: SubjectKind, text: str) -> Subject:
    return Subject(kind, parse_id(text, BudgetNotFoundError))
