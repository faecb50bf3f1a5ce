"""In which team a command acts."""

import click

from application.identity.act_as_operator import ActAsOperator
from application.identity.find_team import FindTeam, FindTeamQuery
from application.shared.actor import Actor
from entrypoints.cli.session import Session

team_option = click.option(
    "--team", metavar="NAME_OR_ID", help="The team to act in; the first one unless it is given."
)


async def actor_in(session: Session, team: str | None) -> Actor:
    """The person at the terminal, as the owner of that team."""
    if team is None:
        return session.actor
    find_team = await session.get(FindTeam)
    found = await find_team(FindTeamQuery(actor=session.actor, reference=team))
    act_as_operator = await session.get(ActAsOperator)
    return await act_as_operator(found.id)
