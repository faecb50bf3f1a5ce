from collections.abc import Callable
from datetime import date, datetime

import click

from adapters.http.keys.schemas import IssuedKeyView, KeyView
from application.identity.find_key import FindKey, FindKeyQuery
from application.identity.issue_key import IssueKey, IssueKeyCommand
from application.identity.list_keys import ListKeys, ListKeysQuery
from application.identity.revoke_key import RevokeKey, RevokeKeyCommand
from application.identity.update_key import UpdateKey, UpdateKeyCommand
from application.shared.unset import UNSET
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.permissions import Permission
from domain.identity.scopes import scopes_of
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.allowances import (
    Given,
    allowance_members,
    allowance_options,
    change_of,
)
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.moments import MOMENT, Moment, ahead
from entrypoints.cli.output import (
    Command,
    json_option,
    print_json,
    print_members,
    print_table,
    wide_option,
)
from entrypoints.cli.paging import all_of
from entrypoints.cli.session import Session, run_session

COLUMNS = ("name", "key", "status", "models", "scopes", "created", "expires", "last used", "id")
WIDE = ("scopes", "id")


def _scope_option(text: str) -> Callable[[Command], Command]:
    return click.option(
        "--scope",
        "scopes",
        multiple=True,
        type=click.Choice([permission.value for permission in Permission]),
        metavar="PERMISSION",
        help=text,
    )


@click.group()
def keys_command() -> None:
    """Create, list, change and revoke API keys."""


@keys_command.command("create")
@click.argument("name")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="PATTERN",
    help="A model that the key may use, with * for any run of characters. Repeat it for several; "
    "without it the key may use all.",
)
@_scope_option(
    "What the key may do, such as models.invoke. Repeat it for several; without it the key may do "
    "everything, or with --model just call models (models.invoke) and read calls (calls.read)."
)
@click.option("--expires", type=MOMENT, help="When the key ends: 30d, or a date.")
@allowance_options
@team_option
@json_option
@click.pass_obj
def create_key(
    invocation: Invocation,
    /,
    name: str,
    *,
    models: tuple[str, ...],
    scopes: tuple[str, ...],
    expires: Moment | None,
    team: str | None,
    as_json: bool,
    **allowance: Given | None,
) -> None:
    """Make a new API key called NAME and print it. It is shown only this once."""

    async def work(session: Session) -> IssuedKeyView:
        now = session.clock.now()
        actor = await actor_in(session, team)
        issue_key = await session.get(IssueKey)
        issued = await issue_key(
            IssueKeyCommand(
                actor=actor,
                name=name,
                allowed_models=models or ANY_MODEL,
                scopes=scopes_of(scopes) if scopes else None,
                expires_at=ahead(expires, now),
                allowance=change_of(None, **allowance),
            )
        )
        return IssuedKeyView.of_issued(issued, now)

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    click.echo(view.key)
    click.echo(f"This is the key '{view.name}', shown only this once.", err=True)


@keys_command.command("list")
@team_option
@wide_option
@json_option
@click.pass_obj
def list_keys(invocation: Invocation, team: str | None, wide: bool, as_json: bool) -> None:
    """List the API keys, newest first."""

    async def work(session: Session) -> list[KeyView]:
        now = session.clock.now()
        use_case = await session.get(ListKeys)
        actor = await actor_in(session, team)
        found = await all_of(lambda page: use_case(ListKeysQuery(actor=actor, page=page)))
        return [KeyView.of(key, now) for key in found]

    views = run_session(invocation, work)
    if as_json:
        print_json({"items": views})
        return
    print_table(
        COLUMNS,
        (
            (
                view.name,
                view.masked_key,
                view.status,
                view.allowed_models,
                view.scopes,
                _day(view.created_at),
                _day(view.expires_at),
                _day(view.last_used_at),
                view.id,
            )
            for view in views
        ),
        fold=("name", "models", "scopes"),
        left_out=() if wide else WIDE,
    )


@keys_command.command("update")
@click.argument("reference", metavar="NAME_OR_ID")
@click.option("--name", help="Rename the key.")
@_scope_option("What the key may do from now on; repeat it for several.")
@allowance_options
@team_option
@json_option
@click.pass_obj
def update_key(
    invocation: Invocation,
    /,
    reference: str,
    *,
    name: str | None,
    scopes: tuple[str, ...],
    team: str | None,
    as_json: bool,
    **allowance: Given | None,
) -> None:
    """Change a key's name, what it may do or what it may use; what is not given stays. Every node
    obeys at once."""
    if name is None and not scopes and not any(allowance.values()):
        raise click.UsageError("Give --name, --scope, --budget, --rpm, --tpm or --concurrency.")

    async def work(session: Session) -> KeyView:
        actor = await actor_in(session, team)
        find_key = await session.get(FindKey)
        found = await find_key(FindKeyQuery(actor=actor, reference=reference))
        use_case = await session.get(UpdateKey)
        command = UpdateKeyCommand(
            actor=actor,
            key_id=found.id,
            name=UNSET if name is None else name,
            scopes=scopes_of(scopes) if scopes else UNSET,
            allowance=change_of(found.limits, **allowance),
        )
        return KeyView.of(await use_case(command), session.clock.now())

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    _print(view)


@keys_command.command("revoke")
@click.argument("reference", metavar="NAME_OR_ID")
@team_option
@json_option
@click.pass_obj
def revoke_key(invocation: Invocation, reference: str, team: str | None, as_json: bool) -> None:
    """Close an API key for good; every node refuses it at once."""

    async def work(session: Session) -> KeyView:
        actor = await actor_in(session, team)
        find_key = await session.get(FindKey)
        found = await find_key(FindKeyQuery(actor=actor, reference=reference))
        revoke = await session.get(RevokeKey)
        await revoke(RevokeKeyCommand(actor=actor, key_id=found.id))
        closed = await find_key(FindKeyQuery(actor=actor, reference=str(found.id)))
        return KeyView.of(closed, session.clock.now())

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    click.echo(f"The key '{view.name}' ({view.masked_key}) is revoked.")


def _print(key: KeyView) -> None:
    print_members(
        (
            ("name", key.name),
            ("key", key.masked_key),
            ("scopes", key.scopes),
            *allowance_members(key.limits, key.budget),
        )
    )


def _day(at: datetime | None) -> date | None:
    return None if at is None else at.date()
