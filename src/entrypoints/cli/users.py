import click

from adapters.http.users.schemas import CreatedUserView, PasswordResetView, UserView
from application.identity.people.create_user import CreateUser, CreateUserCommand
from application.identity.people.find_user import FindUser, FindUserQuery
from application.identity.people.issue_password_reset import (
    IssuePasswordReset,
    IssuePasswordResetCommand,
)
from application.identity.people.list_users import ListUsers, ListUsersQuery
from application.identity.people.set_password import SetPassword, SetPasswordCommand
from domain.identity.permissions import Role
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_table, wide_option
from entrypoints.cli.paging import all_of
from entrypoints.cli.passwords import password_option, read_password
from entrypoints.cli.session import Session, run_session
from entrypoints.cli.user_changes import (
    activate_user,
    deactivate_user,
    print_user,
    update_user,
    user_argument,
)

COLUMNS = ("e-mail", "name", "role", "active", "operator", "last login", "id")
WIDE = ("operator", "id")


@click.group()
def users_command() -> None:
    """Create and change accounts, and open or close them."""


for _command in (update_user, deactivate_user, activate_user):
    users_command.add_command(_command)


@users_command.command("create")
@click.argument("email")
@click.option("--name", help="The person's name; the e-mail address up to its @ unless given.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.MEMBER.value,
    show_default=True,
    help="What the person is in the team.",
)
@click.option("--operator", is_flag=True, help="Let the person manage the server.")
@password_option
@team_option
@json_option
@click.pass_obj
def create_user(
    invocation: Invocation,
    email: str,
    *,
    name: str | None,
    role: str,
    operator: bool,
    asks_password: bool,
    team: str | None,
    as_json: bool,
) -> None:
    """Make an account and let it into the team. Unless a password is set, this prints a
    one-time link by which the person sets one."""
    password = read_password() if asks_password else None

    async def work(session: Session) -> CreatedUserView:
        use_case = await session.get(CreateUser)
        command = CreateUserCommand(
            actor=await actor_in(session, team),
            email=email,
            display_name=name or email.split("@", maxsplit=1)[0],
            role=Role(role),
            password=password,
            is_operator=operator,
        )
        return CreatedUserView.of_created(await use_case(command))

    made = run_session(invocation, work)
    if as_json:
        print_json(made)
        return
    print_user(made)
    if made.password_reset is not None:
        _print_link(made.password_reset)


@users_command.command("list")
@team_option
@wide_option
@json_option
@click.pass_obj
def list_users(invocation: Invocation, team: str | None, wide: bool, as_json: bool) -> None:
    """List the accounts in the team, oldest first."""

    async def work(session: Session) -> list[UserView]:
        use_case = await session.get(ListUsers)
        actor = await actor_in(session, team)
        found = await all_of(lambda page: use_case(ListUsersQuery(actor=actor, page=page)))
        return list(map(UserView.of, found))

    views = run_session(invocation, work)
    if as_json:
        print_json({"items": views})
        return
    print_table(
        COLUMNS,
        (
            (
                view.email,
                view.display_name,
                view.role,
                view.is_active,
                view.is_operator,
                view.last_login_at,
                view.id,
            )
            for view in views
        ),
        fold=("e-mail", "name"),
        left_out=() if wide else WIDE,
    )


@users_command.command("reset-password")
@user_argument
@password_option
@json_option
@click.pass_obj
def reset_password(
    invocation: Invocation, reference: str, *, asks_password: bool, as_json: bool
) -> None:
    """Make a link to set a new password. It works once; with --password the password is set here
    and now, which ends all of the user's sessions."""
    password = read_password() if asks_password else None

    async def work(session: Session) -> PasswordResetView | None:
        find_user = await session.get(FindUser)
        user = (await find_user(FindUserQuery(actor=session.actor, reference=reference))).user
        if password is None:
            issue = await session.get(IssuePasswordReset)
            command = IssuePasswordResetCommand(actor=session.actor, user_id=user.id)
            return PasswordResetView.of(await issue(command))
        set_password = await session.get(SetPassword)
        await set_password(
            SetPasswordCommand(actor=session.actor, user_id=user.id, password=password)
        )
        return None

    reset = run_session(invocation, work)
    if as_json:
        print_json({"password_reset": reset})
    elif reset is None:
        click.echo("The password is set, and all sessions of the user have ended.")
    else:
        _print_link(reset)


def _print_link(reset: PasswordResetView) -> None:
    click.echo(reset.link)
    click.echo(
        f"The link works once, until {reset.expires_at:%H:%M} UTC, and is shown only now.", err=True
    )
