"""What a caller with a budget sees."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from tests.fixtures.budget_nodes import (
    HELLO,
    a_budgeted_key,
    at_rest,
    bearer,
    call,
    caller,
    standing,
)
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

Nodes = tuple[StoaServer, StoaServer]


async def test_a_call_that_might_cost_too_much_is_refused_as_openai_refuses_it(
    budget_nodes: Nodes, budgets_database: str
) -> None:
    server = budget_nodes[0]
    key = await a_budgeted_key(server, "1")
    async with caller(server, key.secret) as client:
        answer = await call(client, max_tokens=500)

    assert answer is not None
    error = answer.json()["error"]
    assert answer.status_code == 429
    assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_quota")
    assert answer.headers["x-should-retry"] == "false"
    assert "retry-after" not in answer.headers
    assert "this API key is $1 per month" in error["message"]
    async with caller(server, server.key) as owner:
        row = (await owner.get(f"/api/v1/calls/{answer.headers['x-request-id']}")).json()
    assert (row["status"], row["error_code"]) == ("refused", "BUDGET_EXHAUSTED")
    assert (await at_rest(budgets_database, key)).settled == 0


async def test_openais_client_does_not_try_again(budget_nodes: Nodes) -> None:
    server = budget_nodes[0]
    key = await a_budgeted_key(server, "0")
    async with AsyncOpenAI(base_url=server.base_url, api_key=key.secret, max_retries=3) as client:
        with pytest.raises(openai.RateLimitError) as refused:
            await client.chat.completions.create(model="priced", messages=HELLO)

    assert refused.value.code == "insufficient_quota"
    async with caller(server, server.key) as owner:
        rows = (await owner.get("/api/v1/calls", params={"key_id": key.id})).json()["items"]
    assert len(rows) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_is_charged_what_it_cost(
    budget_nodes: Nodes, budgets_database: str, stream: bool
) -> None:
    server = budget_nodes[0]
    key = await a_budgeted_key(server, "50")
    async with caller(server, key.secret) as client:
        answer = await call(client, stream=stream)
        assert answer is not None
        found = await at_rest(budgets_database, key)
        shown = (await client.get(f"/api/v1/keys/{key.id}/budget")).json()

    assert answer.status_code == 200
    assert found.settled == found.spent > 0
    assert Decimal(shown["settled"]) == found.settled
    assert Decimal(shown["remaining"]) == 50 - found.settled
    assert (shown["amount"], shown["period"], shown["held"]) == ("50", "month", "0")


async def test_a_call_that_fails_gives_its_hold_back(
    budget_nodes: Nodes, budgets_database: str
) -> None:
    server = budget_nodes[0]
    key = await a_budgeted_key(server, "20")
    async with caller(server, key.secret) as client:
        await call(client, model="broken")

    found = await at_rest(budgets_database, key)
    assert (found.settled, found.held) == (Decimal(0), Decimal(0))


async def test_a_call_that_is_given_up_costs_its_question(
    budget_nodes: Nodes, budgets_database: str
) -> None:
    server = budget_nodes[0]
    key = await a_budgeted_key(server, "20")
    async with caller(server, key.secret) as client, asyncio.timeout(PATIENCE_S):
        waiting = asyncio.create_task(call(client, model="hung"))
        while not (await standing(budgets_database, key)).open:
            await asyncio.sleep(0.02)
        waiting.cancel()

    found = await at_rest(budgets_database, key)
    assert found.settled == found.spent > 0
    assert found.held == 0


async def test_a_stream_that_is_left_is_charged_what_had_come(
    budget_nodes: Nodes, budgets_database: str
) -> None:
    server = budget_nodes[0]
    key = await a_budgeted_key(server, "50")
    body = {"model": "drip", "messages": HELLO, "max_tokens": 10, "stream": True}
    async with (
        caller(server, key.secret) as client,
        client.stream("POST", "/v1/chat/completions", json=body) as answer,
    ):
        async for line in answer.aiter_lines():
            if "two" in line:
                break

    found = await at_rest(budgets_database, key)
    assert found.settled == found.spent > 0
    assert found.held == 0


@pytest.mark.parametrize("model", ["free", "unpriced"])
async def test_what_has_no_price_is_let_through(budget_nodes: Nodes, model: str) -> None:
    server = budget_nodes[0]
    key = await a_budgeted_key(server, "0")
    async with caller(server, key.secret) as client:
        answer = await call(client, model=model)

    assert answer is not None
    assert answer.status_code == 200


async def test_a_soft_budget_refuses_nothing_and_tells_of_its_thresholds(
    budget_nodes: Nodes, budgets_database: str
) -> None:
    server = budget_nodes[0]
    key = await a_budgeted_key(server, "0.000001", hard=False)
    async with caller(server, key.secret) as client:
        answers = [await call(client) for _ in range(2)]
    found = await at_rest(budgets_database, key)
    async with httpx.AsyncClient(base_url=server.url, headers=bearer(server.key)) as owner:
        events = await _events_of(owner, key.id)

    assert [answer.status_code for answer in answers if answer is not None] == [200, 200]
    assert found.settled == found.spent > 0
    assert sorted(event["threshold"] for event in events) == [50, 80, 90, 100]
    assert {event["amount"] for event in events} == {"0.000001"}


async def test_a_budget_that_is_set_later_begins_with_what_was_spent(
    budget_nodes: Nodes,
) -> None:
    one, two = budget_nodes
    async with httpx.AsyncClient(base_url=one.url, headers=bearer(one.key)) as owner:
        made = (await owner.post("/api/v1/keys", json={"name": "later"})).json()
        async with caller(two, made["key"]) as client:
            await call(client)
            budget = {"amount": "0.2", "period": "day"}
            await owner.patch(f"/api/v1/keys/{made['id']}", json={"budget": budget})
            refused = await _refused(client)
        shown = (await owner.get(f"/api/v1/keys/{made['id']}/budget")).json()

    assert refused.status_code == 429
    assert Decimal(shown["settled"]) > 0


async def _refused(client: httpx.AsyncClient) -> httpx.Response:
    """Every node obeys at once, which is within a second unless the machine is busy."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await call(client)
            assert answer is not None
            if answer.status_code != httpx.codes.OK:
                return answer


async def _events_of(owner: httpx.AsyncClient, key_id: str) -> list[dict[str, Any]]:
    items = (await owner.get("/api/v1/events", params={"limit": 200})).json()["items"]
    return [
        event["data"]
        for event in items
        if event["type"] == "budget.threshold_reached" and event["data"]["subject"]["id"] == key_id
    ]
