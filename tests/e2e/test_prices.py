"""Prices as people set and see them, on a running server."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.fixtures.ledger import call_of
from tests.fixtures.patience import wait_until
from tests.fixtures.server import StoaServer

CONFIG = """
providers:
  - {name: script, type: scripted}
  - {name: far, type: openai, api_key: none, base_url: "http://127.0.0.1:9/v1"}
models:
  - {name: of/file, provider: script}
  - {name: said, provider: script, prices: {input: "1.5", output: 6}}
  - {name: known, provider: far, upstream_name: gpt-4o}
"""
PRICES = {"input": "10", "output": "20", "request": "0.001"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoaServer]:
    folder = tmp_path_factory.mktemp("prices")
    config = folder / "stoa.yaml"
    config.write_text(CONFIG)
    with StoaServer(data_dir=folder / "data", config=config) as running:
        yield running


@pytest.fixture(scope="module")
def http(server: StoaServer) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        yield client


def prices(http: httpx.Client) -> dict[str, Any]:
    items = http.get("/api/v1/prices").json()["items"]
    return {item["model"]: item for item in items}


def ask(http: httpx.Client, model: str) -> tuple[httpx.Response, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": "Hi there, all of you"}]}
    answer = http.post("/v1/chat/completions", json=body)
    return answer, call_of(http, answer.headers["x-stoa-call-id"])


def test_everybody_sees_what_calls_cost_and_why(http: httpx.Client) -> None:
    found = prices(http)

    assert {name: item["source"] for name, item in found.items()} == {
        "of/file": "unpriced",
        "said": "configuration",
        "known": "book",
    }
    assert found["known"]["entry"] == "openai/gpt-4o"
    assert found["known"]["prices"]["input"] == "2.5"
    assert "web_searches_kcount" in found["known"]["not_expressed"]
    assert found["of/file"]["prices"] is None


def test_an_unpriced_call_says_so(http: httpx.Client) -> None:
    answer, call = ask(http, "of/file")

    assert answer.headers["x-stoa-cost"] == "unpriced"
    assert (call["cost"], call["price"]) == (None, None)


def test_a_price_that_is_set_holds_for_new_calls_only(http: httpx.Client) -> None:
    _, before = ask(http, "said")

    price = http.post("/api/v1/prices/set", json={"model": "said", **PRICES}).json()
    answer, after = ask(http, "said")
    listed = http.get("/api/v1/prices/set", params={"model": "said"}).json()["items"]
    removed = http.delete(f"/api/v1/prices/set/{price['id']}")
    _, again = ask(http, "said")

    assert before["price"]["input"] == again["price"]["input"] == "1.5"
    assert (after["price"]["input"], after["price"]["request"]) == ("10", "0.001")
    assert answer.headers["x-stoa-cost"] == after["cost"]
    assert listed == [price]
    assert (price["provider"], price["upstream_name"]) == ("script", "said")
    assert removed.status_code == 204
    assert http.get(f"/api/v1/calls/{before['id']}").json()["price"] == before["price"]


def test_a_price_of_the_future_begins_by_itself(http: httpx.Client) -> None:
    for lead_s in (1, 10, 40):
        soon = datetime.now(UTC) + timedelta(seconds=lead_s)
        body = {"model": "of/file", "effective_from": soon.isoformat(), **PRICES}
        price = http.post("/api/v1/prices/set", json=body).raise_for_status().json()
        waiting = prices(http)["of/file"]
        if waiting["source"] == "unpriced":
            break
        # It has begun already, because the machine has much else to do.
        http.delete(f"/api/v1/prices/set/{price['id']}").raise_for_status()
    wait_until(lambda: prices(http)["of/file"]["source"] == "override")
    answer, call = ask(http, "of/file")

    assert datetime.fromisoformat(waiting["changes_at"]) == soon
    assert answer.headers["x-stoa-cost"] == call["cost"]


def test_a_model_of_the_registry_has_prices_with_tiers(http: httpx.Client) -> None:
    provider = http.post("/api/v1/providers", json={"name": "own", "type": "scripted"})
    model = http.post("/api/v1/models", json={"name": "mine", "provider": "own"}).json()
    path = f"/api/v1/models/{model['id']}/prices"
    tier = {"above": 1, "input": "3", "output": "4"}

    price = http.post(path, json={"input": "1", "output": "2", "tiers": [tier]})
    _, call = ask(http, "mine")

    assert (provider.status_code, price.status_code) == (201, 201)
    assert price.json()["prices"]["tiers"][0]["prices"]["input"] == "3"
    assert call["price"]["input"] == "3"
    assert http.get(path).json()["items"] == [price.json()]
    assert http.delete(f"{path}/{price.json()['id']}").status_code == 204
    assert http.get(path).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"model": "said", "input": "-1", "output": "0"}, "input"),
        ({"model": "said", "input": 1.5, "output": "0"}, "input"),
        ({"model": "said", "input": "1", "output": "0", "cached": "1"}, None),
        ({"model": "said", **PRICES, "effective_from": "2026-01-01T00:00:00"}, "effective_from"),
        ({"model": "said", **PRICES, "tiers": [{"above": 0, **PRICES}]}, "tiers.0.above"),
    ],
)
def test_what_is_no_price_is_refused(
    http: httpx.Client, body: dict[str, Any], field: str | None
) -> None:
    answer = http.post("/api/v1/prices/set", json=body)

    assert answer.status_code == 400
    if field is not None:
        assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_what_nobody_serves_has_no_price(http: httpx.Client) -> None:
    answer = http.post("/api/v1/prices/set", json={"model": "nobody", **PRICES})

    assert (answer.status_code, answer.json()["code"]) == (404, "MODEL_NOT_FOUND")


def test_prices_are_set_at_the_terminal(server: StoaServer, http: httpx.Client) -> None:
    tier = "200000:input=5,output=22.5"
    words = ("said", "input=2.5", "output=15", "request=0.01", "--tier", tier, "--from", "1d")

    made = json.loads(server.run("prices", "set", *words, "--json").stdout)
    listed = json.loads(server.run("prices", "list", "--model", "said", "--json").stdout)
    shown = server.run("prices", "list").stdout
    removed = server.run("prices", "remove", made["id"])

    assert listed["items"] == [made]
    assert made["prices"]["tiers"][0]["prices"]["output"] == "22.5"
    assert prices(http)["said"]["changes_at"] is None
    assert "configuration" in shown
    assert "unpriced" in shown or "override" in shown
    assert (removed.returncode, removed.stdout) == (0, "Removed.\n")


def test_what_is_published_is_looked_up_at_the_terminal(server: StoaServer) -> None:
    found = server.run("prices", "look-up", "anthropic", "claude-sonnet-4-5")
    unknown = server.run("prices", "look-up", "ollama", "llama3")
    wrong = server.run("prices", "set", "said", "tokens=3")

    assert found.stdout.startswith("anthropic/claude-sonnet-4-5, reads 200000 tokens\n")
    assert "above 200000: 6 in, 22.5 out" in found.stdout
    assert "not counted here: web_searches_kcount" in found.stdout
    assert (unknown.returncode, wrong.returncode) == (1, 2)
