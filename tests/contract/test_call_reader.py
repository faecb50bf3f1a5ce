"""What every reader of the ledger has to keep."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from application.inference.call_ports import CallFilter, UsageGrouping, UsageRow
from domain.inference.call import Call, CallStatus
from domain.models.prices import Prices
from domain.shared.errors import InvalidError
from domain.shared.ids import KeyId, TeamId, UserId
from domain.shared.usage import Usage
from tests.builders import (
    OTHER_TEAM_ID,
    PRICES,
    TEAM_ID,
    a_call,
    a_key,
    a_membership,
    a_team,
    a_user,
)
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.stores import LedgerStore

DAY = timedelta(days=1)
THIRD_TEAM = TeamId(uuid7_at(START, 70))
OTHER_USER = UserId(uuid7_at(START, 71))


async def _record(ledger: LedgerStore, *calls: Call) -> None:
    for call in calls:
        if call.status is CallStatus.OPEN:
            await ledger.ledger.open(call).committed
        else:
            await ledger.ledger.record(call)


def _settled(
    status: CallStatus = CallStatus.SUCCEEDED, usage: Usage | None = None, **fields: Any
) -> Call:
    call = a_call(**fields)
    call.settle(status, at=call.created_at, latency_ms=1.0, usage=usage)
    return call


async def test_lists_calls_newest_first(ledger: LedgerStore) -> None:
    calls = [a_call(created_at=START + timedelta(minutes=n)) for n in range(3)]
    await _record(ledger, calls[1], calls[2], calls[0], a_call(team_id=OTHER_TEAM_ID))

    rows = await ledger.reader.list(TEAM_ID, CallFilter(), cursor=None, limit=10)

    assert list(rows.items) == calls[::-1]
    assert rows.next_cursor is None


async def test_a_cursor_goes_on_where_the_slice_ended(ledger: LedgerStore) -> None:
    calls = [a_call() for _ in range(5)]
    await _record(ledger, *calls)

    first = await ledger.reader.list(TEAM_ID, CallFilter(), cursor=None, limit=2)
    await _record(ledger, a_call())
    second = await ledger.reader.list(TEAM_ID, CallFilter(), cursor=first.next_cursor, limit=2)
    third = await ledger.reader.list(TEAM_ID, CallFilter(), cursor=second.next_cursor, limit=2)

    assert [*first.items, *second.items, *third.items] == calls[::-1]
    assert third.next_cursor is None


async def test_a_slice_that_ends_with_the_last_call_has_no_cursor(ledger: LedgerStore) -> None:
    await _record(ledger, a_call(), a_call())

    rows = await ledger.reader.list(TEAM_ID, CallFilter(), cursor=None, limit=2)

    assert rows.next_cursor is None


@pytest.mark.parametrize("cursor", ["", "nonsense", "ключ", "AAAA", "=" * 22, "A" * 400])
async def test_refuses_a_cursor_that_it_did_not_make(ledger: LedgerStore, cursor: str) -> None:
    with pytest.raises(InvalidError) as error:
        await ledger.reader.list(TEAM_ID, CallFilter(), cursor=cursor, limit=1)

    assert error.value.param == "cursor"


async def test_filters_by_time_including_since_and_excluding_until(ledger: LedgerStore) -> None:
    calls = [a_call(created_at=START + DAY * n) for n in range(4)]
    await _record(ledger, *calls)
    where = CallFilter(since=calls[1].created_at, until=calls[3].created_at)

    rows = await ledger.reader.list(TEAM_ID, where, cursor=None, limit=10)

    assert list(rows.items) == [calls[2], calls[1]]


async def test_an_id_may_be_older_than_its_call(ledger: LedgerStore) -> None:
    call = a_call(created_at=START)
    call.created_at += timedelta(minutes=5)
    await _record(ledger, call)

    rows = await ledger.reader.list(
        TEAM_ID, CallFilter(since=call.created_at), cursor=None, limit=10
    )

    assert list(rows.items) == [call]


async def test_filters_by_key_model_and_status(ledger: LedgerStore) -> None:
    other_key = KeyId(uuid7_at(START, 77))
    wanted = _settled(model="small", key_id=other_key)
    await _record(
        ledger,
        wanted,
        _settled(model="small"),
        _settled(model="large", key_id=other_key),
        a_call(model="small", key_id=other_key),
    )
    where = CallFilter(key_id=other_key, model="small", status=CallStatus.SUCCEEDED)

    rows = await ledger.reader.list(TEAM_ID, where, cursor=None, limit=10)

    assert list(rows.items) == [wanted]


async def test_counts_and_sums_what_is_there(ledger: LedgerStore) -> None:
    price = Prices(input=Decimal("0.1"), output=Decimal("0.3"))
    usage = Usage(prompt_tokens=7, cached_tokens=3, completion_tokens=2, reasoning_tokens=1)
    await _record(
        ledger,
        _settled(usage=usage, price=price),
        _settled(usage=usage, price=price),
        _settled(usage=usage, price=None),
        _settled(usage=Usage(), price=None),
        _settled(CallStatus.FAILED),
        _settled(CallStatus.REFUSED),
        _settled(CallStatus.CANCELLED),
        _settled(CallStatus.INTERRUPTED),
        a_call(),
        _settled(usage=usage, team_id=OTHER_TEAM_ID),
    )

    rows = await ledger.reader.usage(TEAM_ID, UsageGrouping.MODEL, CallFilter())

    assert rows == (
        UsageRow(
            group="large",
            label="large",
            calls=9,
            open=1,
            succeeded=4,
            failed=1,
            refused=1,
            cancelled=1,
            interrupted=1,
            prompt_tokens=21,
            cached_tokens=9,
            completion_tokens=6,
            reasoning_tokens=3,
            # Not 0.0000026000000000000001: money is exact.
            cost=Decimal("0.0000026"),
            unpriced=1,
            priced=2,
        ),
    )
    assert isinstance(rows[0].cost, Decimal)


async def test_calls_without_outcome_sum_up_to_nothing(ledger: LedgerStore) -> None:
    await _record(ledger, a_call())

    [row] = await ledger.reader.usage(TEAM_ID, UsageGrouping.DAY, CallFilter())

    assert (row.calls, row.prompt_tokens, row.cost, row.unpriced) == (1, 0, Decimal(0), 0)


async def test_sums_up_what_is_not_tokens(ledger: LedgerStore) -> None:
    rare: dict[str, Any] = {
        "cache_write_tokens": 3,
        "cache_write_1h_tokens": 2,
        "audio_input_tokens": 2,
        "audio_output_tokens": 5,
        "images": 1,
        "characters": 7,
        "searches": 2,
        "seconds": Decimal("0.1"),
    }
    heard = Usage(prompt_tokens=3, completion_tokens=5, **rare)
    saved = _settled(usage=Usage(), saved=Decimal("0.2"))
    of_all = replace(PRICES, audio_input=Decimal(1), audio_output=Decimal(2), request=Decimal(1))
    await _record(ledger, *(_settled(usage=heard, price=of_all) for _ in range(3)), saved)
    only_heard = _settled(usage=Usage(seconds=Decimal("0.5")), price=None, model="ears")
    await _record(ledger, only_heard)

    [row, ears] = await ledger.reader.usage(TEAM_ID, UsageGrouping.MODEL, CallFilter())

    assert {name: getattr(row, name) for name in rare} == {n: 3 * v for n, v in rare.items()}
    assert (row.saved, row.unpriced) == (Decimal("0.2"), 0)
    assert (ears.seconds, ears.unpriced) == (Decimal("0.5"), 1)


async def test_a_team_without_calls_has_no_rows(ledger: LedgerStore) -> None:
    assert await ledger.reader.usage(TEAM_ID, UsageGrouping.KEY, CallFilter()) == ()


async def test_days_are_those_of_utc_and_the_newest_is_first(ledger: LedgerStore) -> None:
    in_tokyo = timezone(timedelta(hours=9))
    await _record(
        ledger,
        a_call(created_at=datetime(2026, 11, 23, 8, 59, tzinfo=in_tokyo)),
        a_call(created_at=datetime(2026, 11, 22, 0, 0, tzinfo=UTC)),
        a_call(created_at=datetime(2026, 11, 24, 23, 59, 59, 999999, tzinfo=UTC)),
    )

    rows = await ledger.reader.usage(TEAM_ID, UsageGrouping.DAY, CallFilter())

    assert [(row.group, row.label, row.calls) for row in rows] == [
        ("2026-11-24", "2026-11-24", 1),
        ("2026-11-22", "2026-11-22", 2),
    ]


async def test_models_are_ordered_by_cost_then_calls_then_name(ledger: LedgerStore) -> None:
    usage = Usage(prompt_tokens=1)
    await _record(
        ledger,
        a_call(model="b"),
        a_call(model="Z"),
        a_call(model="often"),
        a_call(model="often"),
        _settled(model="dear", usage=usage, price=Prices(input=Decimal(2), output=Decimal(0))),
        _settled(model="cheap", usage=usage, price=Prices(input=Decimal(1), output=Decimal(0))),
    )

    rows = await ledger.reader.usage(TEAM_ID, UsageGrouping.MODEL, CallFilter())

    assert [row.group for row in rows] == ["dear", "cheap", "often", "Z", "b"]


async def test_keys_are_shown_by_name_even_when_revoked(ledger: LedgerStore) -> None:
    key = a_key(name="ci", revoked_at=START, team_id=THIRD_TEAM, user_id=OTHER_USER)
    async with ledger.identity.unit_of_work() as tx:
        await tx.users.add(a_user(id=OTHER_USER))
        await tx.teams.add(a_team(id=THIRD_TEAM))
        await tx.memberships.add(a_membership(team_id=THIRD_TEAM, user_id=OTHER_USER))
        await tx.api_keys.add(key)
        await tx.commit()
    unknown = KeyId(uuid7_at(START, 78))
    await _record(
        ledger,
        a_call(team_id=THIRD_TEAM, key_id=key.id),
        a_call(team_id=THIRD_TEAM, key_id=key.id),
        a_call(team_id=THIRD_TEAM, key_id=unknown),
        a_call(team_id=THIRD_TEAM, key_id=None),
    )

    rows = await ledger.reader.usage(THIRD_TEAM, UsageGrouping.KEY, CallFilter())

    assert [(row.group, row.label, row.calls) for row in rows] == [
        (str(key.id), "ci", 2),
        ("", "", 1),
        (str(unknown), str(unknown), 1),
    ]


async def test_usage_obeys_the_filter(ledger: LedgerStore) -> None:
    await _record(
        ledger,
        a_call(created_at=START, model="a"),
        a_call(created_at=START + DAY, model="a"),
        a_call(created_at=START + DAY, model="b"),
    )
    where = CallFilter(since=START + DAY, model="a")

    [row] = await ledger.reader.usage(TEAM_ID, UsageGrouping.DAY, where)

    assert (row.group, row.calls) == ("2026-11-22", 1)
