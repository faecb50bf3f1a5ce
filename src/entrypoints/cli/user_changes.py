"""The part of ``stoa users`` that changes accounts which are there."""

import click

from adapters.http.users.schemas import UserView
from application.identity.allowance_change import UNCHANGED
from application.identity.people.find_user import FindUser, FindUserQuery
from application.identity.people.update_user import UpdateUser, UpdateUserCommand, UserChange
from application.shared.unset import UNSET
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.allowances import (
    Given,
    allowance_members,
    allowance_options,
    change_of,
)
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_members
from entrypoints.cli.session import Session, run_session

user_argument = click.argument("reference", metavar="EMAIL_OR_ID")
_keep_keys_option = click.option(
    "--keep-keys", is_flag=True, help="Leave the user's API keys as they are."
)


@click.command("update")
@user_argument
@click.option("--email", help="Another e-mail address.")
@click.option("--name", help="Another name.")
@click.option(
    "--operator/--no-operator", default=None, help="Let the person manage the server, or not."
)
@allowance_options
@team_option
@json_option
@click.pass_obj
def update_user(
    invocation: Invocation,
    /,
    reference: str,
    *,
    email: str | None,
    name: str | None,
    operator: bool | None,
    team: str | None,
    as_json: bool,
    **allowance: Given | None,
) -> None:
    """Change an account, or what its user may use. What is not given stays."""
    if not (email or name or any(allowance.values())) and operator is None:
        raise click.UsageError("Give --email, --name, --operator, --budget or a limit.")
    change = UserChange(
        email=UNSET if email is None else email,
        display_name=UNSET if name is None else name,
        is_operator=UNSET if operator is None else operator,
    )
    _change(invocation, reference, change, as_json=as_json, team=team, allowance=allowance)


@click.command("deactivate")
@user_argument
@_keep_keys_option
@json_option
@click.pass_obj
def deactivate_user(
    invocation: Invocation, reference: str, *, keep_keys: bool, as_json: bool
) -> None:
    """Close an account in all its teams. Its sessions end and its API keys are revoked."""
    change = UserChange(is_active=False, keep_keys=keep_keys)
    _change(invocation, reference, change, as_json=as_json)


@click.command("activate")
@user_argument
@json_option
@click.pass_obj
def activate_user(invocation: Invocation, reference: str, as_json: bool) -> None:
    """Open an account again. API keys that were revoked stay so."""
    _change(invocation, reference, UserChange(is_active=True), as_json=as_json)


def _change(
    invocation: Invocation,
    reference: str,
    change: UserChange,
    *,
    as_json: bool,
    team: str | None = None,
    allowance: dict[str, Given | None] | None = None,
) -> None:
    async def work(session: Session) -> UserView:
        actor = await actor_in(session, team)
        find_user = await session.get(FindUser)
        found = await find_user(FindUserQuery(actor=actor, reference=reference))
        present = found.allowance.limits
        update = await session.get(UpdateUser)
        command = UpdateUserCommand(
            actor=actor,
            user_id=found.user.id,
            change=change,
            allowance=change_of(present, **allowance) if allowance else UNCHANGED,
        )
        return UserView.of(await update(command))

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    print_user(view)


def print_user(user: UserView) -> None:
    """Print what can be said of an account."""
    print_members(
        (
            ("e-mail", user.email),
            ("name", user.display_name),
            ("role", user.role),
            ("active", user.is_active),
            ("operator", user.is_operator),
            *allowance_members(user.limits, user.budget),
            ("id", user.id),
        )
    )
