from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from application.inference.call_ports import CallFilter
from domain.inference.call import Attempt, CacheUse, CallContent, CallStatus, GuardrailVerdict
from domain.models.prices import Prices
from domain.shared.ids import KeyId, TeamId
from domain.shared.usage import Usage
from tests.e2e.api.doubles import NOON, a_call
from tests.e2e.api.world import World

CALLS = "/api/v1/calls"
SOME_ID = UUID(int=77)


async def test_a_settled_call_has_all_its_members() -> None:
    world = World()
    price = Prices(input=Decimal("0.15"), output=Decimal("0.60"))
    attempt = Attempt(
        deployment="acme/large-1",
        began_ms=0.1234,
        took_ms=5,
        outcome="succeeded",
        usage=Usage(prompt_tokens=10, completion_tokens=2),
        cost=Decimal("0.0000027"),
    )
    call = a_call(
        world.team.id,
        key_id=world.key.id,
        user_id=world.key.user_id,
        provider="acme",
        deployment="acme/large-1",
        price=price,
        finish_reason="stop",
        ttft_ms=12.3456,
        provider_request_id="req-1",
        content=CallContent(request="{}", response="[]"),
        routed_to="large",
        reason="priority",
        arm="b",
        attempts=(attempt,),
        cache=CacheUse.MISS,
        saved=Decimal("1.50"),
        guardrails=(GuardrailVerdict(stage="input", rule="pii:email", action="redacted"),),
        tags=("ci",),
    )
    usage = Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=2, seconds=Decimal("2.50"))
    at = NOON + timedelta(seconds=1)
    call.settle(CallStatus.SUCCEEDED, at=at, latency_ms=1000.0, usage=usage)
    world.calls.known.append(call)
    async with world.client() as client:
        listed = await client.get(CALLS)
        shown = await client.get(f"{CALLS}/{call.id}")

    assert listed.json() == {
        "items": [
            {
                "id": str(call.id),
                "created_at": "2026-11-21T12:00:00Z",
                "settled_at": "2026-11-21T12:00:01Z",
                "correlation_id": "c-1",
                "key_id": str(world.key.id),
                "user_id": str(world.key.user_id),
                "endpoint": "/v1/chat/completions",
                "model": "large",
                "provider": "acme",
                "deployment": "acme/large-1",
                "stream": False,
                "status": "succeeded",
                "error_code": None,
                "finish_reason": "stop",
                "prompt_tokens": 10,
                "cached_tokens": 4,
                "cache_write_tokens": 0,
                "cache_write_1h_tokens": 0,
                "audio_input_tokens": 0,
                "completion_tokens": 2,
                "reasoning_tokens": 0,
                "audio_output_tokens": 0,
                "images": 0,
                "seconds": "2.5",
                "characters": 0,
                "searches": 0,
                "usage_counted": False,
                "cost": "0.0000027",
                "price": dict.fromkeys(n for n in price.__slots__ if n != "tiers")
                | {"input": "0.15", "output": "0.6"},
                "latency_ms": 1000.0,
                "ttft_ms": 12.346,
                "provider_request_id": "req-1",
                "routed_to": "large",
                "reason": "priority",
                "arm": "b",
                "attempts": [
                    {
                        "deployment": "acme/large-1",
                        "began_ms": 0.123,
                        "took_ms": 5.0,
                        "outcome": "succeeded",
                        "prompt_tokens": 10,
                        "completion_tokens": 2,
                        "cost": "0.0000027",
                    }
                ],
                "cache": "miss",
                "saved": "1.5",
                "guardrails": [
                    {"stage": "input", "rule": "pii:email", "action": "redacted", "count": 1}
                ],
                "tags": ["ci"],
            }
        ],
        "next_cursor": None,
    }
    content = {"content": {"request": "{}", "response": "[]"}}
    assert shown.json() == listed.json()["items"][0] | content


async def test_an_open_call_has_nulls_for_what_is_not_known() -> None:
    world = World()
    world.calls.known.append(a_call(world.team.id))
    async with world.client() as client:
        shown = (await client.get(f"{CALLS}/{UUID(int=1)}")).json()

    unknown = ("settled_at", "prompt_tokens", "cost", "price", "latency_ms", "ttft_ms", "content")
    assert {name: shown[name] for name in unknown} == dict.fromkeys(unknown)
    assert shown["status"] == "open"


async def test_a_cursor_leads_through_the_list() -> None:
    world = World()
    world.calls.known += [a_call(world.team.id, number) for number in (3, 2, 1)]
    async with world.client() as client:
        first = (await client.get(CALLS, params={"limit": 2})).json()
        rest = (await client.get(CALLS, params={"cursor": first["next_cursor"]})).json()

    assert [item["id"] for item in first["items"]] == [str(UUID(int=3)), str(UUID(int=2))]
    assert [item["id"] for item in rest["items"]] == [str(UUID(int=1))]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("", CallFilter()),
        ("since=2026-11-01", CallFilter(since=datetime(2026, 11, 1, tzinfo=UTC))),
        ("since=2026-11-01T10:00:00Z", CallFilter(since=datetime(2026, 11, 1, 10, tzinfo=UTC))),
        (
            "until=2026-11-01T10:00:00+02:00",
            CallFilter(until=datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ),
        (f"key_id={SOME_ID}", CallFilter(key_id=KeyId(SOME_ID))),
        ("model=large&status=failed", CallFilter(model="large", status=CallStatus.FAILED)),
    ],
)
async def test_filters_reach_the_ledger(query: str, where: CallFilter) -> None:
    world = World()
    async with world.client() as client:
        answer = await client.get(f"{CALLS}?{query}")

    assert answer.status_code == 200
    assert world.calls.asked == [where]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=many",
        "since=yesterday",
        "until=2026-11-01T10:00:00",
        "key_id=canary",
        "status=canary",
        "modle=large",
        "model=%00",
        "since=0001-01-01",
        "until=9999-12-31T23:59:59-23:59",
    ],
)
async def test_a_wrong_filter_is_named(query: str) -> None:
    async with World().client() as client:
        answer = await client.get(f"{CALLS}?{query}")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [query.partition("=")[0]]
    assert "canary" not in answer.text


async def test_another_teams_call_is_not_found() -> None:
    world = World()
    world.calls.known.append(a_call(TeamId(UUID(int=99))))
    async with world.client() as client:
        answers = [
            await client.get(f"{CALLS}/{wanted}") for wanted in (UUID(int=1), SOME_ID, "no-id")
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert {answer.json()["code"] for answer in answers} == {"CALL_NOT_FOUND"}
