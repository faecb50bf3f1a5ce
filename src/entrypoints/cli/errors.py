from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import click

from adapters.http.error_records.schemas import ErrorDetailView, ErrorGroupPage, ErrorGroupView
from application.operations.records.change_error_state import (
    ChangeErrorState,
    ChangeErrorStateCommand,
)
from application.operations.records.get_error import GetError, GetErrorQuery
from application.operations.records.list_errors import ListErrors, ListErrorsQuery
from application.operations.records.ports import ErrorFilter
from application.shared.pagination import MAX_PAGE_SIZE, PageRequest
from domain.operations.technical_error import ErrorState
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.moments import MOMENT, Moment, ago
from entrypoints.cli.output import (
    json_option,
    print_json,
    print_members,
    print_table,
    shown,
    wide_option,
)
from entrypoints.cli.session import Session, run_session

COLUMNS = ("last seen", "count", "state", "code", "where", "message", "exception", "id")
WIDE = ("exception",)


@click.group()
def errors_command() -> None:
    """See and resolve technical errors."""


@errors_command.command("list")
@click.option(
    "--state",
    type=click.Choice([str(state) for state in ErrorState]),
    help="Only groups in this state.",
)
@click.option("--code", help="Only groups with this code.")
@click.option("--since", type=MOMENT, help="Only what has happened since: 24h, or a date.")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_PAGE_SIZE),
    default=20,
    show_default=True,
    help="How many to list.",
)
@wide_option
@json_option
@click.pass_obj
def list_errors(
    invocation: Invocation,
    *,
    state: str | None,
    code: str | None,
    since: Moment | None,
    limit: int,
    wide: bool,
    as_json: bool,
) -> None:
    """List groups of technical errors; the one that happened last is first."""

    async def work(session: Session) -> ErrorGroupPage:
        where = ErrorFilter(
            state=ErrorState(state) if state else None,
            code=code,
            since=ago(since, session.clock.now()),
        )
        query = ListErrorsQuery(
            actor=session.actor, where=where, page=replace(PageRequest(), page_size=limit)
        )
        return ErrorGroupPage.of(await (await session.get(ListErrors))(query))

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    print_table(
        COLUMNS,
        map(_row, view.items),
        right=("count",),
        fold=("where", "message"),
        left_out=() if wide else WIDE,
    )
    if view.total > len(view.items):
        click.echo(f"There are {view.total - len(view.items)} more.", err=True)


@errors_command.command("show")
@click.argument("error_id", type=click.UUID, metavar="ID")
@json_option
@click.pass_obj
def show_error(invocation: Invocation, error_id: UUID, as_json: bool) -> None:
    """Show a group with its last occurrence. ID is the group's, or the one of an error answer."""

    async def work(session: Session) -> ErrorDetailView:
        get_error = await session.get(GetError)
        query = GetErrorQuery(actor=session.actor, wanted=error_id)
        return ErrorDetailView.of_detail(await get_error(query))

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    names = [name for name in view.__struct_fields__ if name != "occurrences"]
    print_members([(name.replace("_", " "), getattr(view, name)) for name in names])
    for occurrence in view.occurrences[:1]:
        click.echo()
        members = [name for name in occurrence.__struct_fields__ if name != "stack"]
        print_members([(name.replace("_", " "), getattr(occurrence, name)) for name in members])
        click.echo()
        for line in occurrence.stack.splitlines():
            click.echo(shown(line))


def _change(name: str, state: ErrorState, help_text: str) -> click.Command:
    def change(invocation: Invocation, error_id: UUID, as_json: bool) -> None:
        async def work(session: Session) -> ErrorGroupView:
            change_state = await session.get(ChangeErrorState)
            command = ChangeErrorStateCommand(actor=session.actor, wanted=error_id, state=state)
            return ErrorGroupView.of(await change_state(command))

        view = run_session(invocation, work)
        if as_json:
            print_json(view)
        else:
            click.echo(f"The error {view.code} ({view.id}) is {view.state}.")

    decorated: Callable[..., Any] = click.pass_obj(change)
    decorated = json_option(click.argument("error_id", type=click.UUID, metavar="ID")(decorated))
    return errors_command.command(name, help=help_text)(decorated)


resolve_error = _change(
    "resolve", ErrorState.RESOLVED, "Close a group until it happens again. ID as in `show`."
)
ignore_error = _change(
    "ignore", ErrorState.IGNORED, "Close a group for good: no spike of it is told. ID as in `show`."
)
reopen_error = _change("reopen", ErrorState.OPEN, "Open a group again. ID as in `show`.")


def _row(group: ErrorGroupView) -> tuple[object, ...]:
    return (
        f"{group.last_seen:%m-%d %H:%M:%S}",
        group.count,
        group.state,
        group.code,
        group.route,
        group.message,
        group.exception_type,
        group.id,
    )
