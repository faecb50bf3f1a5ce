import click

from adapters.http.team.schemas import TeamView
from application.identity.get_team import GetTeam, GetTeamQuery
from application.identity.update_team import UpdateTeam, UpdateTeamCommand
from application.shared.unset import UNSET
from entrypoints.cli.allowances import (
    Given,
    allowance_members,
    allowance_options,
    change_of,
)
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_members
from entrypoints.cli.session import Session, run_session


@click.group()
def team_command() -> None:
    """See and change the team."""


@team_command.command("show")
@json_option
@click.pass_obj
def show_team(invocation: Invocation, as_json: bool) -> None:
    """Show the team."""

    async def work(session: Session) -> TeamView:
        get_team = await session.get(GetTeam)
        return TeamView.of(await get_team(GetTeamQuery(actor=session.actor)))

    print_team(run_session(invocation, work), as_json=as_json)


@team_command.command("set")
@click.option("--name", help="Rename the team.")
@click.option(
    "--capture/--no-capture",
    default=None,
    help="Keep prompts and answers with the calls in the ledger, or stop keeping them.",
)
@allowance_options
@json_option
@click.pass_obj
def set_team(
    invocation: Invocation,
    /,
    *,
    name: str | None,
    capture: bool | None,
    as_json: bool,
    **allowance: Given | None,
) -> None:
    """Change the team, or what all in it together may use; what is not given stays."""
    if name is None and capture is None and not any(allowance.values()):
        raise click.UsageError("Give --name, --capture, --no-capture, --budget or a limit.")

    async def work(session: Session) -> TeamView:
        get_team = await session.get(GetTeam)
        present = (await get_team(GetTeamQuery(actor=session.actor))).allowance
        update_team = await session.get(UpdateTeam)
        command = UpdateTeamCommand(
            actor=session.actor,
            name=UNSET if name is None else name,
            capture_content=UNSET if capture is None else capture,
            allowance=change_of(present.limits, **allowance),
        )
        return TeamView.of(await update_team(command))

    print_team(run_session(invocation, work), as_json=as_json)


def print_team(team: TeamView, *, as_json: bool) -> None:
    """Print what can be said of a team."""
    if as_json:
        print_json(team)
        return
    print_members(
        (
            ("team", team.name),
            ("captures contents", team.capture_content),
            *allowance_members(team.limits, team.budget),
            ("created", team.created_at),
            ("id", team.id),
        )
    )
