import click

from adapters.http.budgets.schemas import BudgetView
from application.identity.find_key import FindKey, FindKeyQuery
from application.identity.people.find_user import FindUser, FindUserQuery
from application.inference.show_budget import ShowBudget, ShowBudgetQuery
from domain.identity.allowance import Subject, SubjectKind
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_members
from entrypoints.cli.session import Session, run_session


@click.command()
@click.option("--key", metavar="NAME_OR_ID", help="The budget of an API key.")
@click.option("--user", metavar="EMAIL_OR_ID", help="The budget of a user.")
@json_option
@click.pass_obj
def budget_command(
    invocation: Invocation, key: str | None, user: str | None, as_json: bool
) -> None:
    """Show what has become of a budget in its present period: that of the team, unless --key or
    --user is given. `stoa team set --budget` and `stoa keys update --budget` set one."""
    if key is not None and user is not None:
        raise click.UsageError("Give --key or --user, not both.")

    async def work(session: Session) -> BudgetView:
        subject = await _subject(session, key, user)
        show_budget = await session.get(ShowBudget)
        found = await show_budget(ShowBudgetQuery(actor=session.actor, subject=subject))
        return BudgetView.of(found, session.clock.now())

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    print_members(
        (
            ("amount $", view.amount),
            ("period", view.period),
            ("settled $", view.settled),
            ("held $", view.held),
            ("remaining $", view.remaining),
            ("resets at", view.resets_at),
        )
    )


async def _subject(session: Session, key: str | None, user: str | None) -> Subject:
    if key is not None:
        find_key = await session.get(FindKey)
        found_key = await find_key(FindKeyQuery(actor=session.actor, reference=key))
        return Subject(SubjectKind.KEY, found_key.id)
    if user is not None:
        find_user = await session.get(FindUser)
        found_user = await find_user(FindUserQuery(actor=session.actor, reference=user))
        return Subject(SubjectKind.USER, found_user.user.id)
    return Subject(SubjectKind.TEAM, session.actor.team_id)
