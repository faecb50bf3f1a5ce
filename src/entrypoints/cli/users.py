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
from application.identity.people.update_user import UpdateUser, UpdateUserCommand, UserChange
from domain.identity.permissions import Role
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_members, print_table, wide_option
from entrypoints.cli.paging import all_of
from entrypoints.cli.passwords import password_option, read_password
from entrypoints.cli.session import Session, run_session

COLUMNS = ("e-mail", "name", "role", "active", "operator", "last login", "id")
WIDE = ("operator", "id")

_user_argument = click.argument("reference", metavar="EMAIL_OR_ID")
_keep_keys_option = click.option(
    "--keep-keys", is_flag=True, help="Leave the user's API keys as they are."
)


@click.group()
def users_command() -> None:
    """Create accounts, and open or close them."""


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
    """Make an account for EMAIL and let it into the team. Unless a password is set, this prints a
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
    _print(made)
    if made.password_reset is not None:
        _print_link(made.password_reset)


@users_command.command("list")
@team_option
@wide_option
@json_option
@click.pass_obj
def list_users(invocation: Invocation, team: str | None, wide: bool, as_json: bool) -> None:
    """List the accounts of the people in the team, oldest first."""

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
@_user_argument
@password_option
@json_option
@click.pass_obj
def reset_password(
    invocation: Invocation, reference: str, *, asks_password: bool, as_json: bool
) -> None:
    """Print a one-time link by which the user sets a new password; or set it, which ends all of the
    user's sessions."""
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


@users_command.command("deactivate")
@_user_argument
@_keep_keys_option
@json_option
@click.pass_obj
def deactivate_user(
    invocation: Invocation, reference: str, *, keep_keys: bool, as_json: bool
) -> None:
    """Close an account in all its teams: its sessions end and its API keys are revoked."""
    change = UserChange(is_active=False, keep_keys=keep_keys)
    _change(invocation, reference, change, as_json=as_json)


@users_command.command("activate")
@_user_argument
@json_option
@click.pass_obj
def activate_user(invocation: Invocation, reference: str, as_json: bool) -> None:
    """Open an account again. API keys that were revoked stay so."""
    _change(invocation, reference, UserChange(is_active=True), as_json=as_json)


def _change(invocation: Invocation, reference: str, change: UserChange, *, as_json: bool) -> None:
    async def work(session: Session) -> UserView:
        find_user = await session.get(FindUser)
        user = (await find_user(FindUserQuery(actor=session.actor, reference=reference))).user
        use_case = await session.get(UpdateUser)
        command = UpdateUserCommand(actor=session.actor, user_id=user.id, change=change)
        return UserView.of(await use_case(command))

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    _print(view)


def _print(user: UserView) -> None:
    print_members(
        (
            ("e-mail", user.email),
            ("name", user.display_name),
            ("role", user.role),
            ("active", user.is_active),
            ("operator", user.is_operator),
            ("id", user.id),
        )
    )


def _print_link(reset: PasswordResetView) -> None:
    click.echo(reset.link)
    click.echo(
        f"The link works once, until {reset.expires_at:%H:%M} UTC, and is shown only now.", err=True
    )
