"""What a user finds in the ledger after a call: one row, whole and exact."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import openai as sdk
import pytest
from openai import OpenAI

from tests.fixtures.ledger import call_of, calls_with
from tests.fixtures.server import StoaServer

CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "hello there world"}]
MEMBERS = {
    "id": str,
    "created_at": str,
    "settled_at": str,
    "correlation_id": str,
    "key_id": str,
    "user_id": str,
    "endpoint": str,
    "model": str,
    "provider": str,
    "deployment": str,
    "stream": bool,
    "status": str,
    "error_code": type(None),
    "finish_reason": str,
    "prompt_tokens": int,
    "cached_tokens": int,
    "cache_write_tokens": int,
    "cache_write_1h_tokens": int,
    "audio_input_tokens": int,
    "completion_tokens": int,
    "reasoning_tokens": int,
    "audio_output_tokens": int,
    "images": int,
    "seconds": str,
    "characters": int,
    "searches": int,
    "usage_counted": bool,
    "cost": str,
    "price": dict,
    "latency_ms": float,
    "ttft_ms": float,
    "provider_request_id": str,
    "routed_to": type(None),
    "reason": type(None),
    "arm": type(None),
    "attempts": list,
    "cache": type(None),
    "saved": type(None),
    "guardrails": list,
    "tags": list,
    "content": type(None),
}


def chat(http: httpx.Client, **fields: Any) -> httpx.Response:
    return http.post(CHAT, json={"model": "echo", "messages": HELLO, **fields})


@pytest.mark.parametrize("stream", [False, True])
def test_a_row_has_every_member_in_its_type(http: httpx.Client, stream: bool) -> None:
    answer = chat(http, stream=stream)

    row = call_of(http, answer.headers["x-request-id"])
    assert {name: type(value) for name, value in row.items()} == MEMBERS
    assert row["stream"] is stream
    assert (row["endpoint"], row["model"], row["provider"]) == (CHAT, "echo", "script")
    assert (row["status"], row["finish_reason"]) == ("succeeded", "stop")
    assert 0 < row["ttft_ms"] <= row["latency_ms"]
    lasted = datetime.fromisoformat(row["settled_at"]) - datetime.fromisoformat(row["created_at"])
    assert timedelta(0) < lasted < timedelta(minutes=5)
    assert UUID(row["id"]).version == 7


def test_the_cost_follows_from_the_price_in_the_row(http: httpx.Client) -> None:
    row = call_of(http, chat(http).headers["x-request-id"])

    prices = {kind: price for kind, price in row["price"].items() if price is not None}
    assert prices == {"input": "1.5", "output": "6", "cached_input": "0.75"}
    fresh = row["prompt_tokens"] - row["cached_tokens"]
    exact = (
        fresh * Decimal("1.5")
        + row["cached_tokens"] * Decimal("0.75")
        + row["completion_tokens"] * Decimal(6)
    ) / 1_000_000
    assert Decimal(row["cost"]) == exact > 0
    assert "E" not in row["cost"]


def test_a_model_without_a_price_has_no_cost(http: httpx.Client) -> None:
    row = call_of(http, chat(http, model="unpriced").headers["x-request-id"])

    assert (row["price"], row["cost"]) == (None, None)
    assert row["prompt_tokens"] > 0


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_calls_a_tool_says_so(http: httpx.Client, stream: bool) -> None:
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}

    answer = chat(http, model="caller", stream=stream, tools=[tool])

    assert call_of(http, answer.headers["x-request-id"])["finish_reason"] == "tool_calls"


def test_every_retry_of_the_official_client_is_a_row(
    server: StoaServer, http: httpx.Client
) -> None:
    order = f"order-{uuid4()}"
    client = OpenAI(
        base_url=server.base_url,
        api_key=server.key,
        max_retries=2,
        default_headers={"X-Correlation-ID": order},
    )

    with pytest.raises(sdk.InternalServerError), client:
        client.chat.completions.create(
            model="broken", messages=[{"role": "user", "content": "hello"}]
        )

    rows = [call_of(http, row["id"]) for row in calls_with(http, order)]
    assert [(row["status"], row["error_code"]) for row in rows] == [
        ("failed", "PROVIDER_ERROR")
    ] * 3


@pytest.mark.parametrize("sent", ["has space", "x" * 129, ""])
def test_a_correlation_id_that_cannot_be_taken_is_replaced(http: httpx.Client, sent: str) -> None:
    answer = http.post(
        CHAT, json={"model": "echo", "messages": HELLO}, headers={"X-Correlation-ID": sent}
    )

    made = answer.headers["x-correlation-id"]
    assert made == answer.headers["x-request-id"]
    assert call_of(http, made)["correlation_id"] == made


@pytest.mark.parametrize(
    "query",
    [
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31T23:59:59-10:00"},
        {"model": "\0"},
        {"cursor": "AAAA"},
        {"status": "fine"},
        {"key_id": "mine"},
        {"limit": "0"},
    ],
    ids="&".join,
)
def test_a_filter_that_cannot_be_asked_is_a_400(http: httpx.Client, query: dict[str, str]) -> None:
    answer = http.get("/api/v1/calls", params=query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == next(iter(query))


def test_pages_are_stable_while_calls_are_made(http: httpx.Client) -> None:
    made = [chat(http).headers["x-request-id"] for _ in range(4)]
    first = http.get("/api/v1/calls", params={"limit": 2}).json()
    newer = chat(http).headers["x-request-id"]

    second = http.get("/api/v1/calls", params={"limit": 2, "cursor": first["next_cursor"]}).json()

    seen = [row["id"] for row in first["items"] + second["items"]]
    assert seen == made[::-1]
    assert newer not in seen


def test_contents_are_kept_only_while_the_team_wants_them(http: httpx.Client) -> None:
    contents = []
    for wanted in (True, False):
        http.patch("/api/v1/team", json={"capture_content": wanted}).raise_for_status()
        for fields in ({}, {"stream": True}, {"model": "broken"}):
            row = call_of(http, chat(http, **fields).headers["x-request-id"])
            contents.append(row["content"])

    listed = http.get("/api/v1/calls").json()["items"]
    assert ["hello there world" in kept["request"] for kept in contents[:3]] == [True] * 3
    assert "hello" in contents[0]["response"]
    assert contents[1]["response"].endswith("data: [DONE]\n\n")
    assert contents[2]["response"] == ""
    assert contents[3:] == [None] * 3
    assert not any("content" in row for row in listed)
