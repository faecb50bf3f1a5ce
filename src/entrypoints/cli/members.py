import click

from adapters.http.members.schemas import MemberView
from application.identity.people.change_role import ChangeRole, ChangeRoleCommand
from application.identity.people.find_user import FindUser, FindUserQuery
from application.identity.people.list_members import ListMembers, ListMembersQuery
from application.identity.people.remove_member import RemoveMember, RemoveMemberCommand
from domain.identity.permissions import Role
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_members, print_table, wide_option
from entrypoints.cli.paging import all_of
from entrypoints.cli.session import Session, run_session

COLUMNS = ("e-mail", "name", "role", "active", "id")
WIDE = ("id",)

_member_argument = click.argument("reference", metavar="EMAIL_OR_ID")


@click.group()
def members_command() -> None:
    """See who is in a team, and as what."""


@members_command.command("list")
@team_option
@wide_option
@json_option
@click.pass_obj
def list_members(invocation: Invocation, team: str | None, wide: bool, as_json: bool) -> None:
    """List the members of the team, oldest accounts first."""

    async def work(session: Session) -> list[MemberView]:
        use_case = await session.get(ListMembers)
        actor = await actor_in(session, team)
        found = await all_of(lambda page: use_case(ListMembersQuery(actor=actor, page=page)))
        return list(map(MemberView.of, found))

    views = run_session(invocation, work)
    if as_json:
        print_json({"items": views})
        return
    print_table(
        COLUMNS,
        (
            (view.email, view.display_name, view.role, view.is_active, view.user_id)
            for view in views
        ),
        fold=("e-mail", "name"),
        left_out=() if wide else WIDE,
    )


@members_command.command("set-role")
@_member_argument
@click.argument("role", metavar="ROLE", type=click.Choice([role.value for role in Role]))
@click.option("--keep-keys", is_flag=True, help="Leave the member's API keys as they are.")
@team_option
@json_option
@click.pass_obj
def set_role(
    invocation: Invocation,
    reference: str,
    role: str,
    *,
    keep_keys: bool,
    team: str | None,
    as_json: bool,
) -> None:
    """Give a member another ROLE: owner, admin, editor, member or viewer. The member's API keys
    lose the scopes that it does not have."""

    async def work(session: Session) -> MemberView:
        actor = await actor_in(session, team)
        find_user = await session.get(FindUser)
        user = (await find_user(FindUserQuery(actor=actor, reference=reference))).user
        change_role = await session.get(ChangeRole)
        command = ChangeRoleCommand(
            actor=actor, user_id=user.id, role=Role(role), keep_keys=keep_keys
        )
        return MemberView.of(await change_role(command))

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    print_members((("e-mail", view.email), ("name", view.display_name), ("role", view.role)))


@members_command.command("remove")
@_member_argument
@click.option("--keep-keys", is_flag=True, help="Let the member's API keys go on as the team's.")
@team_option
@json_option
@click.pass_obj
def remove_member(
    invocation: Invocation,
    reference: str,
    *,
    keep_keys: bool,
    team: str | None,
    as_json: bool,
) -> None:
    """Take somebody out of the team; the member's API keys are revoked, and the account stays."""

    async def work(session: Session) -> str:
        actor = await actor_in(session, team)
        find_user = await session.get(FindUser)
        user = (await find_user(FindUserQuery(actor=actor, reference=reference))).user
        remove = await session.get(RemoveMember)
        await remove(RemoveMemberCommand(actor=actor, user_id=user.id, keep_keys=keep_keys))
        return user.email or str(user.id)

    removed = run_session(invocation, work)
    if as_json:
        print_json({"removed": removed})
        return
    click.echo(f"{removed} is no member of the team any more.")
