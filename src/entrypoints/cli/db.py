from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from adapters.postgres import migrate
from entrypoints.cli.failure import FAILED_CHECKS
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_table
from entrypoints.cli.session import run_async, settings_of
from entrypoints.reaching import database_url

T = TypeVar("T")


@click.group()
def db_command() -> None:
    """Migrate the database."""


def _with_url(invocation: Invocation, work: Callable[[str], Awaitable[T]]) -> T:
    settings = settings_of(invocation).settings

    async def inside() -> T:
        async with database_url(settings) as url:
            return await work(url)

    return run_async(inside())


@db_command.command("upgrade")
@click.argument("revision", default="head")
@json_option
@click.pass_obj
def upgrade(invocation: Invocation, revision: str, as_json: bool) -> None:
    """Bring the database up to REVISION (the newest, if not given)."""

    async def work(url: str) -> str | None:
        await migrate.upgrade(url, revision)
        return await migrate.current(url)

    _print_revision(_with_url(invocation, work), as_json=as_json)


# Without this setting -1 would be taken for an option.
@db_command.command("downgrade", context_settings={"ignore_unknown_options": True})
@click.argument("revision")
@json_option
@click.pass_obj
def downgrade(invocation: Invocation, revision: str, as_json: bool) -> None:
    """Take the database back to REVISION: an id, `base` for an empty one, or -1 for one step.

    Tables that a migration made are dropped with what is in them.
    """

    async def work(url: str) -> str | None:
        await migrate.downgrade(url, revision)
        return await migrate.current(url)

    _print_revision(_with_url(invocation, work), as_json=as_json)


@db_command.command("current")
@json_option
@click.pass_obj
def current(invocation: Invocation, as_json: bool) -> None:
    """Show the revision of the database."""
    revision = _with_url(invocation, migrate.current)
    known = [item.id for item in migrate.history()]
    newest = known[0]
    if as_json:
        print_json({"revision": revision, "head": newest})
        return
    remark = ""
    if revision is not None and revision not in known:
        remark = " (this Stoa does not know it: a newer one has migrated the database)"
    elif revision != newest:
        remark = f" (the newest is {newest}: run `stoa db upgrade`)"
    click.echo(f"{revision or 'base'}{remark}")


@db_command.command("history")
@json_option
def history(as_json: bool) -> None:
    """List all revisions, newest first."""
    revisions = migrate.history()
    if as_json:
        print_json({"items": revisions})
        return
    print_table(("revision", "title"), ((item.id, item.title) for item in revisions))


@db_command.command("check")
@json_option
@click.pass_context
def check(context: click.Context, as_json: bool) -> None:
    """Compare the database with what the code expects; exits with 1 if they differ."""
    drifts = _with_url(context.obj, migrate.check)
    if as_json:
        print_json({"drifts": drifts})
    elif drifts:
        click.echo("\n".join(drifts))
    else:
        click.echo("The database is as the code expects it.")
    context.exit(FAILED_CHECKS if drifts else 0)


def _print_revision(revision: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"revision": revision})
        return
    click.echo(f"The database is at {revision or 'base'}.")
