from datetime import timedelta
from decimal import Decimal

import pytest

from application.inference.call_ports import CallFilter, UsageGrouping, UsageRow
from application.inference.report_usage import ReportUsage, ReportUsageQuery
from domain.identity.permissions import Permission
from domain.inference.call import Call, CallStatus
from domain.shared.errors import ForbiddenError
from domain.shared.usage import Usage
from tests.builders import KEY_ID, OTHER_TEAM_ID, a_call, a_key, an_actor
from tests.fakes.call_reader import InMemoryCallReader
from tests.fakes.clock import START
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.inference import InMemoryLedger

USAGE = Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=5, reasoning_tokens=1)


def settled(call: Call, status: CallStatus, usage: Usage | None = None) -> Call:
    call.settle(status, at=call.created_at, latency_ms=1.0, usage=usage)
    return call


async def report_on(*calls: Call, grouping: UsageGrouping, since: int = 0) -> list[UsageRow]:
    ledger, identity = InMemoryLedger(), InMemoryIdentity()
    for call in calls:
        await ledger.record(call)
    identity.committed.keys[KEY_ID] = a_key(id=KEY_ID, name="ci")
    query = ReportUsageQuery(
        actor=an_actor(),
        grouping=grouping,
        where=CallFilter(since=START + timedelta(days=since)),
    )
    return list(await ReportUsage(reader=InMemoryCallReader(ledger.rows, identity))(query))


async def test_sums_the_calls_of_a_day() -> None:
    [row] = await report_on(
        settled(a_call(), CallStatus.SUCCEEDED, USAGE),
        settled(a_call(), CallStatus.FAILED, USAGE),
        settled(a_call(price=None), CallStatus.SUCCEEDED, USAGE),
        settled(a_call(price=None), CallStatus.CANCELLED, Usage()),
        settled(a_call(price=None), CallStatus.REFUSED),
        settled(a_call(), CallStatus.INTERRUPTED),
        settled(a_call(team_id=OTHER_TEAM_ID), CallStatus.SUCCEEDED, USAGE),
        grouping=UsageGrouping.DAY,
    )

    assert row == UsageRow(
        group="2026-11-21",
        label="2026-11-21",
        calls=6,
        open=0,
        succeeded=2,
        failed=1,
        refused=1,
        cancelled=1,
        interrupted=1,
        prompt_tokens=30,
        cached_tokens=12,
        completion_tokens=15,
        reasoning_tokens=3,
        cost=Decimal("0.00014"),
        unpriced=1,
        priced=2,
    )


async def test_days_come_newest_first() -> None:
    calls = [
        settled(a_call(created_at=START + timedelta(days=day)), CallStatus.SUCCEEDED)
        for day in (0, 2, 1)
    ]

    rows = await report_on(*calls, grouping=UsageGrouping.DAY, since=1)

    assert [row.group for row in rows] == ["2026-11-23", "2026-11-22"]


async def test_models_come_by_cost_then_calls_then_name() -> None:
    rows = await report_on(
        settled(a_call(model="b"), CallStatus.REFUSED),
        settled(a_call(model="a"), CallStatus.REFUSED),
        settled(a_call(model="often"), CallStatus.REFUSED),
        settled(a_call(model="often"), CallStatus.REFUSED),
        settled(a_call(model="dear"), CallStatus.SUCCEEDED, USAGE),
        grouping=UsageGrouping.MODEL,
    )

    assert [row.group for row in rows] == ["dear", "often", "a", "b"]


async def test_keys_come_with_their_names() -> None:
    gone = a_key().id

    rows = await report_on(
        settled(a_call(key_id=KEY_ID), CallStatus.SUCCEEDED, USAGE),
        settled(a_call(key_id=None), CallStatus.SUCCEEDED),
        settled(a_call(key_id=gone), CallStatus.SUCCEEDED),
        grouping=UsageGrouping.KEY,
    )

    assert [(row.group, row.label) for row in rows] == [
        (str(KEY_ID), "ci"),
        ("", ""),
        (str(gone), str(gone)),
    ]


async def test_no_calls_make_no_rows() -> None:
    assert await report_on(grouping=UsageGrouping.MODEL) == []


async def test_reporting_usage_needs_the_permission() -> None:
    reader = InMemoryCallReader(InMemoryLedger().rows)
    actor = an_actor(permissions=frozenset({Permission.INVOKE_MODELS}))

    with pytest.raises(ForbiddenError):
        await ReportUsage(reader=reader)(ReportUsageQuery(actor=actor))
