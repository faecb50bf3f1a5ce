import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click

from adapters.http.audit.export import ExportFormat, export
from adapters.http.audit.schemas import AuditEntryView, AuditSlice
from application.operations.records.export_audit import ExportAudit, ExportAuditQuery
from application.operations.records.list_audit import ListAudit, ListAuditQuery
from application.operations.records.ports import AuditFilter
from application.shared.pagination import MAX_LIMIT
from domain.shared.ids import KeyId, UserId
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.moments import MOMENT, Moment, ago
from entrypoints.cli.output import json_option, print_json, print_table, wide_option
from entrypoints.cli.session import Session, run_session

Command = TypeVar("Command", bound=Callable[..., Any])

COLUMNS = ("time (UTC)", "who", "action", "target", "changed", "from", "correlation id", "id")
WIDE = ("correlation id", "id")

_FILTERS = (
    click.option("--since", type=MOMENT, help="Not before this: 24h, or a date."),
    click.option("--until", type=MOMENT, help="Before this: 1h, or a date."),
    click.option(
        "--user", "user_id", type=click.UUID, metavar="ID", help="Only what this user did."
    ),
    click.option("--key", "key_id", type=click.UUID, metavar="ID", help="Only what this key did."),
    click.option("--action", help="Only this action: key.issued, or key.* for all of a noun."),
    click.option("--target-type", metavar="TYPE", help="Only what was done to such things: key."),
    click.option("--target", "target_id", metavar="ID", help="Only what was done to this thing."),
)


def filter_options(command: Command) -> Command:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


@click.group()
def audit_command() -> None:
    """See who did what."""


@audit_command.command("list")
@filter_options
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    default=20,
    show_default=True,
    help="How many to list.",
)
@click.option("--cursor", help="Go on where an earlier list ended.")
@wide_option
@json_option
@click.pass_obj
def list_audit(
    invocation: Invocation,
    /,
    *,
    limit: int,
    cursor: str | None,
    wide: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """List the audit log, newest first."""

    async def work(session: Session) -> AuditSlice:
        where = _filter(session, **filters)
        use_case = await session.get(ListAudit)
        return AuditSlice.of(
            await use_case(
                ListAuditQuery(actor=session.actor, where=where, cursor=cursor, limit=limit)
            )
        )

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    print_table(
        COLUMNS,
        map(_row, view.items),
        fold=("target", "changed"),
        left_out=() if wide else WIDE,
    )
    if view.next_cursor:
        click.echo(f"There are more: --cursor {view.next_cursor}", err=True)


@audit_command.command("export")
@filter_options
@click.option(
    "--format",
    "wanted",
    type=click.Choice([str(one) for one in ExportFormat]),
    default=str(ExportFormat.CSV),
    show_default=True,
    help="CSV for spreadsheets, or one JSON object per line.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write there instead of to standard output.",
)
@click.pass_obj
def export_audit(
    invocation: Invocation, /, *, wanted: str, output: Path | None, **filters: Any
) -> None:
    """Export the audit log, newest first."""

    async def work(session: Session) -> None:
        where = _filter(session, **filters)
        use_case = await session.get(ExportAudit)
        pieces = await use_case(ExportAuditQuery(actor=session.actor, where=where))
        # Opened only now, when it is certain that there is something to write.
        with nullcontext(sys.stdout.buffer) if output is None else output.open("wb") as file:
            async for piece in export(pieces, ExportFormat(wanted)):
                file.write(piece)
            file.flush()

    run_session(invocation, work)


def _filter(
    session: Session,
    *,
    since: Moment | None,
    until: Moment | None,
    user_id: UUID | None,
    key_id: UUID | None,
    action: str | None,
    target_type: str | None,
    target_id: str | None,
) -> AuditFilter:
    now = session.clock.now()
    return AuditFilter(
        since=ago(since, now),
        until=ago(until, now),
        user_id=None if user_id is None else UserId(user_id),
        key_id=None if key_id is None else KeyId(key_id),
        action=action,
        target_type=target_type,
        target_id=target_id,
    )


def _row(entry: AuditEntryView) -> tuple[object, ...]:
    who = entry.key_id or entry.user_id
    return (
        f"{entry.at:%m-%d %H:%M:%S}",
        f"{entry.actor_kind} {who or ''}".rstrip(),
        entry.action,
        f"{entry.target_type} {entry.target_id}",
        sorted({**(entry.before or {}), **(entry.after or {})}),
        entry.address,
        entry.correlation_id,
        entry.id,
    )
