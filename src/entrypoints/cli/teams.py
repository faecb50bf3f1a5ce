import click

from adapters.http.team.schemas import TeamView
from adapters.http.teams.schemas import TeamSummaryView
from application.identity.create_team import CreateTeam, CreateTeamCommand
from application.identity.find_team import FindTeam, FindTeamQuery
from application.identity.get_team import GetTeam, GetTeamQuery
from application.identity.list_teams import ListTeams, ListTeamsQuery
from application.identity.people.find_user import FindUser, FindUserQuery
from application.identity.update_team import UpdateTeam, UpdateTeamCommand
from application.shared.unset import UNSET
from entrypoints.cli.allowances import Given, allowance_options, change_of
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_table
from entrypoints.cli.paging import all_of
from entrypoints.cli.session import Session, run_session
from entrypoints.cli.team import print_team


@click.group()
def teams_command() -> None:
    """Create, list and change teams."""


@teams_command.command("create")
@click.argument("name")
@click.option(
    "--owner",
    metavar="EMAIL_OR_ID",
    help="The account that owns the team; the owner of the first one unless it is given.",
)
@json_option
@click.pass_obj
def create_team(invocation: Invocation, name: str, owner: str | None, as_json: bool) -> None:
    """Make a new team called NAME. Its owner is an account that exists already."""

    async def work(session: Session) -> TeamView:
        owner_id = None
        if owner is not None:
            find_user = await session.get(FindUser)
            found = await find_user(FindUserQuery(actor=session.actor, reference=owner))
            owner_id = found.user.id
        use_case = await session.get(CreateTeam)
        command = CreateTeamCommand(actor=session.actor, name=name, owner_id=owner_id)
        return TeamView.of(await use_case(command))

    print_team(run_session(invocation, work), as_json=as_json)


@teams_command.command("list")
@json_option
@click.pass_obj
def list_teams(invocation: Invocation, as_json: bool) -> None:
    """List all teams, oldest first."""

    async def work(session: Session) -> list[TeamSummaryView]:
        use_case = await session.get(ListTeams)
        actor = session.actor
        found = await all_of(lambda page: use_case(ListTeamsQuery(actor=actor, page=page)))
        return list(map(TeamSummaryView.of, found))

    views = run_session(invocation, work)
    if as_json:
        print_json({"items": views})
        return
    print_table(
        ("name", "created", "id"),
        ((view.name, view.created_at.date(), view.id) for view in views),
        fold=("name",),
    )


@teams_command.command("update")
@click.argument("reference", metavar="NAME_OR_ID")
@click.option("--name", help="Rename the team.")
@click.option(
    "--capture/--no-capture",
    default=None,
    help="Keep prompts and answers with the calls in the ledger, or stop keeping them.",
)
@allowance_options
@json_option
@click.pass_obj
def update_team(
    invocation: Invocation,
    /,
    reference: str,
    *,
    name: str | None,
    capture: bool | None,
    as_json: bool,
    **allowance: Given | None,
) -> None:
    """Change a team, or what all in it together may use; what is not given stays."""
    if name is None and capture is None and not any(allowance.values()):
        raise click.UsageError("Give --name, --capture, --no-capture, --budget or a limit.")

    async def work(session: Session) -> TeamView:
        find_team = await session.get(FindTeam)
        team = await find_team(FindTeamQuery(actor=session.actor, reference=reference))
        get_team = await session.get(GetTeam)
        present = (await get_team(GetTeamQuery(actor=session.actor, team_id=team.id))).allowance
        use_case = await session.get(UpdateTeam)
        command = UpdateTeamCommand(
            actor=session.actor,
            team_id=team.id,
            name=UNSET if name is None else name,
            capture_content=UNSET if capture is None else capture,
            allowance=change_of(present.limits, **allowance),
        )
        return TeamView.of(await use_case(command))

    print_team(run_session(invocation, work), as_json=as_json)
