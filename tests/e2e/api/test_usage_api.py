from application.inference.call_ports import UsageGrouping
from tests.e2e.api.doubles import a_usage_row
from tests.e2e.api.world import World

USAGE = "/api/v1/usage"


async def test_usage_is_summed_exactly() -> None:
    world = World()
    world.calls.rows = (
        a_usage_row("large", "0.10", calls=2, succeeded=2, prompt_tokens=10),
        a_usage_row("small", "0.20", calls=1, failed=1, unpriced=1, images=3),
    )
    async with world.client() as client:
        answer = await client.get(USAGE, params={"group_by": "model", "since": "2026-11-01"})

    body = answer.json()
    assert world.calls.groupings == [UsageGrouping.MODEL]
    assert body["group_by"] == "model"
    assert (body["since"], body["until"]) == ("2026-11-01T00:00:00Z", None)
    assert [(item["group"], item["cost"]) for item in body["items"]] == [
        ("large", "0.1"),
        ("small", "0.2"),
    ]
    assert body["totals"] == {
        "calls": 3,
        "open": 0,
        "succeeded": 2,
        "failed": 1,
        "refused": 0,
        "cancelled": 0,
        "interrupted": 0,
        "prompt_tokens": 10,
        "cached_tokens": 0,
        "completion_tokens": 0,
        "reasoning_tokens": 0,
        "unpriced": 1,
        "cache_write_tokens": 0,
        "cache_write_1h_tokens": 0,
        "audio_input_tokens": 0,
        "audio_output_tokens": 0,
        "images": 3,
        "characters": 0,
        "searches": 0,
        "seconds": "0",
        "cost": "0.3",
        "saved": "0",
    }


async def test_usage_is_by_day_unless_asked_otherwise() -> None:
    world = World()
    async with world.client() as client:
        answer = await client.get(USAGE)

    assert answer.json()["totals"]["cost"] == "0"
    assert world.calls.groupings == [UsageGrouping.DAY]


async def test_an_unknown_grouping_is_refused() -> None:
    async with World().client() as client:
        answer = await client.get(USAGE, params={"group_by": "canary"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "group_by"
    assert "canary" not in answer.text
