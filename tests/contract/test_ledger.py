"""What every ledger, with what reads it, has to keep."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from application.inference.call_ports import CallFilter
from domain.inference.call import (
    Attempt,
    CacheUse,
    Call,
    CallContent,
    CallStatus,
    GuardrailVerdict,
)
from domain.inference.errors import CallNotFoundError
from domain.models.prices import Prices
from domain.shared.ids import CallId
from domain.shared.usage import Usage
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_call
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.stores import LedgerStore

FLUSH_S = 10.0
USAGE = Usage(
    prompt_tokens=1000, cached_tokens=400, completion_tokens=50, reasoning_tokens=7, counted=True
)


async def test_an_open_call_comes_back_as_it_was(ledger: LedgerStore) -> None:
    call = a_call(
        stream=True,
        correlation_id='"quoted" \\ ключ 🔑',
        created_at=START + timedelta(microseconds=123_456),
    )

    written = ledger.ledger.open(call)
    await written.sent
    await written.committed

    assert await ledger.reader.get(TEAM_ID, call.id) == call


async def test_a_call_of_nobody_without_a_price_comes_back_as_it_was(ledger: LedgerStore) -> None:
    call = a_call(key_id=None, user_id=None, provider=None, deployment=None, price=None)

    await ledger.ledger.open(call).committed

    assert await ledger.reader.get(TEAM_ID, call.id) == call


async def test_an_outcome_comes_back_as_it_was(ledger: LedgerStore) -> None:
    call = a_call(price=Prices(input=Decimal("0.1234567890123456789"), output=Decimal("1E-9")))
    await ledger.ledger.open(call).committed
    call.provider = "second"
    call.deployment = "second/large"
    call.ttft_ms = 0.1 + 0.2
    call.finish_reason = "tool_calls"
    call.provider_request_id = "req-1"
    _succeed(call, USAGE)

    ledger.ledger.settle(call)
    left = await ledger.ledger.flush(FLUSH_S)

    assert left == 0
    assert call.cost is not None
    assert await ledger.reader.get(TEAM_ID, call.id) == call


async def test_what_is_rare_comes_back_as_it_was(ledger: LedgerStore) -> None:
    names = [name for name in Prices.__slots__ if name != "tiers"]
    special: dict[str, Any] = {name: Decimal(n) / 7 for n, name in enumerate(names)}
    prices = Prices(**special)
    tokens: dict[str, Any] = {"prompt_tokens": 90, "completion_tokens": 80, "cached_tokens": 20}
    rare: dict[str, Any] = {
        "cache_write_tokens": 4,
        "cache_write_1h_tokens": 3,
        "audio_input_tokens": 5,
        "audio_output_tokens": 6,
    }
    call = a_call(model="route", price=prices, tags=("night", 'a "b", {c}', "ключ"))
    await ledger.ledger.open(call).committed
    call.routed_to, call.reason, call.arm = "large", "lowest_cost", "b"
    call.attempts = (
        Attempt(
            deployment="a/ы",
            began_ms=0.0,
            took_ms=0.1 + 0.2,
            outcome="PROVIDER_ERROR",
            usage=Usage(**tokens, seconds=Decimal("0.1"), counted=True),
            cost=Decimal("0.00000000012345678901"),
        ),
        Attempt(deployment="b/x", began_ms=1.5, took_ms=2.5, outcome="succeeded"),
    )
    call.cache, call.saved = CacheUse.HIT, Decimal("0.0000001")
    call.guardrails = (
        GuardrailVerdict(stage="input", rule="pii:email", action="redacted", count=2),
    )
    call.use(OTHER_TEAM_ID)
    beside: dict[str, Any] = {"seconds": Decimal("1.25"), "characters": 9, "searches": 4}
    _succeed(call, Usage(**tokens, **rare, images=1, **beside))

    ledger.ledger.settle(call)
    await ledger.ledger.flush(FLUSH_S)

    assert await ledger.reader.get(TEAM_ID, call.id) == call


async def test_what_no_database_can_store_is_replaced_everywhere(
    postgres_ledger: LedgerStore,
) -> None:
    call = a_call(tags=("a\ud800b",), arm="c\x00d")
    attempt = Attempt(deployment="\udfff", began_ms=0.0, took_ms=0.0, outcome="succeeded")
    call.attempts = (attempt,)
    _succeed(call, USAGE)

    await postgres_ledger.ledger.record(call)

    stored = await postgres_ledger.reader.get(TEAM_ID, call.id)
    assert (stored.tags, stored.arm) == (("a?b",), "c\N{REPLACEMENT CHARACTER}d")
    assert stored.attempts == (replace(attempt, deployment="?"),)


async def test_an_outcome_that_follows_at_once_makes_one_row(ledger: LedgerStore) -> None:
    call = a_call()

    ledger.ledger.open(call)
    call.settle(
        CallStatus.CANCELLED, at=START, latency_ms=1.5, usage=Usage(), error_code="CANCELLED"
    )
    ledger.ledger.settle(call)
    await ledger.ledger.flush(FLUSH_S)

    rows = await ledger.reader.list(TEAM_ID, CallFilter(), cursor=None, limit=10)
    assert rows.items == (call,)


async def test_a_row_keeps_what_the_call_was_when_it_was_handed_over(ledger: LedgerStore) -> None:
    call = a_call()

    written = ledger.ledger.open(call)
    before = replace(call)
    call.finish_reason = "stop"
    await written.committed
    opened = await ledger.reader.get(TEAM_ID, call.id)
    _succeed(call, USAGE)
    ledger.ledger.settle(call)
    settled = replace(call)
    call.error_code = "LATER"
    await ledger.ledger.flush(FLUSH_S)

    assert opened == before
    assert await ledger.reader.get(TEAM_ID, call.id) == settled


async def test_a_refused_call_is_durable_when_it_is_recorded(ledger: LedgerStore) -> None:
    call = a_call(provider=None, deployment=None, price=None)
    call.settle(CallStatus.REFUSED, at=START, latency_ms=0.25, error_code="MODEL_NOT_FOUND")

    await ledger.ledger.record(call)

    assert await ledger.reader.get(TEAM_ID, call.id) == call


@pytest.mark.parametrize("commits_first", [True, False], ids=["settled later", "settled at once"])
async def test_captured_contents_are_shown_with_the_call_only(
    ledger: LedgerStore, commits_first: bool
) -> None:
    call = a_call()
    written = ledger.ledger.open(call)
    if commits_first:
        await written.committed
    _succeed(call, USAGE)
    call.content = CallContent(request='{"a": "\\\\ \\" ключ"}', response="")

    ledger.ledger.settle(call)
    await ledger.ledger.flush(FLUSH_S)

    listed = await ledger.reader.list(TEAM_ID, CallFilter(), cursor=None, limit=1)
    assert await ledger.reader.get(TEAM_ID, call.id) == call
    assert listed.items == (replace(call, content=None),)


async def test_a_recorded_call_may_have_contents(ledger: LedgerStore) -> None:
    call = a_call(content=CallContent(request="{}", response="x"))
    call.settle(CallStatus.REFUSED, at=START, latency_ms=0.0, error_code="X")

    await ledger.ledger.record(call)

    assert await ledger.reader.get(TEAM_ID, call.id) == call


async def test_many_calls_at_once_have_one_row_each(ledger: LedgerStore) -> None:
    calls = [a_call(model=f"m-{n}") for n in range(150)]

    written = [ledger.ledger.open(call) for call in calls]
    for row in written:
        await row.sent
    for row in written:
        await row.committed
    for call in calls:
        _succeed(call, USAGE)
        ledger.ledger.settle(call)
    await ledger.ledger.flush(FLUSH_S)

    rows = await ledger.reader.list(TEAM_ID, CallFilter(), cursor=None, limit=200)
    assert list(rows.items) == calls[::-1]


async def test_there_is_nothing_to_flush_at_first(ledger: LedgerStore) -> None:
    assert await ledger.ledger.flush(FLUSH_S) == 0


async def test_an_unknown_call_is_not_found(ledger: LedgerStore) -> None:
    with pytest.raises(CallNotFoundError):
        await ledger.reader.get(TEAM_ID, CallId(uuid7_at(START, 999)))


async def test_the_call_of_another_team_is_not_found(ledger: LedgerStore) -> None:
    call = a_call(team_id=OTHER_TEAM_ID)
    await ledger.ledger.open(call).committed

    with pytest.raises(CallNotFoundError):
        await ledger.reader.get(TEAM_ID, call.id)


async def test_interrupts_the_open_calls_of_dead_processes(ledger: LedgerStore) -> None:
    dying = await ledger.another_process()
    left_open, settled = a_call(), a_call()
    await dying.ledger.open(left_open).committed
    await dying.ledger.open(settled).committed
    _succeed(settled, USAGE)
    dying.ledger.settle(settled)
    await dying.ledger.flush(FLUSH_S)
    await dying.die()
    at = START + timedelta(minutes=1)

    counts = [await ledger.orphans.interrupt(at) for _ in range(2)]

    orphan = await ledger.reader.get(TEAM_ID, left_open.id)
    assert counts == [1, 0]
    assert (orphan.status, orphan.settled_at) == (CallStatus.INTERRUPTED, at)
    assert (await ledger.reader.get(TEAM_ID, settled.id)).status is CallStatus.SUCCEEDED


async def test_leaves_the_open_calls_of_living_processes_alone(ledger: LedgerStore) -> None:
    other = await ledger.another_process()
    ours, theirs = a_call(), a_call()
    await ledger.ledger.open(ours).committed
    await other.ledger.open(theirs).committed

    count = await ledger.orphans.interrupt(START)

    assert count == 0
    assert (await ledger.reader.get(TEAM_ID, ours.id)).status is CallStatus.OPEN
    assert (await ledger.reader.get(TEAM_ID, theirs.id)).status is CallStatus.OPEN


def _succeed(call: Call, usage: Usage) -> None:
    call.settle(CallStatus.SUCCEEDED, at=START + timedelta(seconds=1), latency_ms=12.5, usage=usage)
