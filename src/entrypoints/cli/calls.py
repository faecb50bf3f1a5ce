from uuid import UUID

import click
import msgspec

from adapters.http.calls.schemas import (
    AttemptView,
    CallDetailView,
    CallSlice,
    CallView,
    VerdictView,
)
from application.inference.call_ports import CallFilter
from application.inference.get_call import GetCall, GetCallQuery
from application.inference.list_calls import ListCalls, ListCallsQuery
from application.shared.pagination import MAX_LIMIT
from domain.inference.call import CallStatus
from domain.shared.ids import CallId
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.moments import MOMENT, Moment, ago
from entrypoints.cli.output import json_option, print_json, print_members, print_table, wide_option
from entrypoints.cli.session import Session, run_session

COLUMNS = ("time (UTC)", "model", "deployment", "outcome", "in", "out", "cost $", "ms", "id")
WIDE = ("deployment", "id")


@click.group()
def calls_command() -> None:
    """Look into the ledger of calls."""


@calls_command.command("list")
@click.option("--since", type=MOMENT, help="Not before this: 24h, or a date.")
@click.option("--until", type=MOMENT, help="Before this: 1h, or a date.")
@click.option("--model", help="Only calls that asked for this model.")
@click.option(
    "--status",
    type=click.Choice([str(status) for status in CallStatus]),
    metavar="STATUS",
    help=f"Only calls of this status: {', '.join(CallStatus)}.",
)
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
def list_calls(
    invocation: Invocation,
    *,
    since: Moment | None,
    until: Moment | None,
    model: str | None,
    status: str | None,
    limit: int,
    cursor: str | None,
    wide: bool,
    as_json: bool,
) -> None:
    """List calls, newest first; tokens are counted "in" and "out".

    `--wide` shows the ids that `stoa calls show` takes, `--json` everything.
    """

    async def work(session: Session) -> CallSlice:
        now = session.clock.now()
        where = CallFilter(
            since=ago(since, now),
            until=ago(until, now),
            model=model,
            status=CallStatus(status) if status else None,
        )
        use_case = await session.get(ListCalls)
        return CallSlice.of(
            await use_case(
                ListCallsQuery(actor=session.actor, where=where, cursor=cursor, limit=limit)
            )
        )

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
    else:
        _print(view, wide=wide)


@calls_command.command("show")
@click.argument("call_id", type=click.UUID, metavar="ID")
@json_option
@click.pass_obj
def show_call(invocation: Invocation, call_id: UUID, as_json: bool) -> None:
    """Show one call, with its contents if the team captured them then."""

    async def work(session: Session) -> CallDetailView:
        get_call = await session.get(GetCall)
        query = GetCallQuery(actor=session.actor, call_id=CallId(call_id))
        return CallDetailView.of(await get_call(query))

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    members = msgspec.to_builtins(view)
    price, content = members.pop("price") or {}, members.pop("content") or {}
    members |= {f"price {kind}": amount for kind, amount in price.items()}
    members["attempts"] = tuple(map(_attempt, view.attempts))
    members["guardrails"] = tuple(map(_verdict, view.guardrails))
    print_members([(name.replace("_", " "), value) for name, value in (members | content).items()])


def _attempt(attempt: AttemptView) -> str:
    took = f"{attempt.took_ms:.0f} ms from {attempt.began_ms:.0f}"
    cost = "" if attempt.cost is None else f", ${attempt.cost}"
    return f"{attempt.deployment} {attempt.outcome} ({took}{cost})"


def _verdict(verdict: VerdictView) -> str:
    return f"{verdict.stage} {verdict.rule} {verdict.action} ({verdict.count})"


def _print(view: CallSlice, *, wide: bool) -> None:
    print_table(
        COLUMNS,
        map(_row, view.items),
        right=("in", "out", "cost $", "ms"),
        fold=("model", "outcome"),
        left_out=() if wide else WIDE,
    )
    if view.next_cursor:
        click.echo(f"There are more: --cursor {view.next_cursor}", err=True)


def _row(call: CallView) -> tuple[object, ...]:
    return (
        f"{call.created_at:%m-%d %H:%M:%S}",
        call.model,
        call.deployment,
        f"{call.status.value} {call.error_code or ''}".rstrip(),
        call.prompt_tokens,
        call.completion_tokens,
        call.cost,
        None if call.latency_ms is None else round(call.latency_ms),
        call.id,
    )
