"""What calls have cost, and what they would: on a running server."""

import csv
import io
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

CONFIG = """
providers:
  - {name: script, type: scripted}
models:
  - {name: cheap, provider: script, prices: {input: 1000, output: 2000}}
  - {name: dear, provider: script, prices: {input: 3000, output: 6000, cached_input: 300}}
  - {name: unknown, provider: script}
  - {name: "=2+3", provider: script, prices: {input: 1000, output: 1000}}
  - {name: vectors, provider: script, kind: embedding, prices: {input: 1000}}
routes:
  - {name: either, targets: [cheap, dear], fallbacks: [unknown]}
"""
COSTS = "/api/v1/costs/dashboard"
PREDICT = "/api/v1/costs/predict"
CALLS = {"cheap": 3, "dear": 2, "unknown": 1, "=2+3": 1}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoaServer]:
    folder = tmp_path_factory.mktemp("costs")
    config = folder / "stoa.yaml"
    config.write_text(CONFIG)
    with StoaServer(data_dir=folder / "data", config=config) as running:
        yield running


@pytest.fixture(scope="module")
def http(server: StoaServer) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        for model, times in CALLS.items():
            for _ in range(times):
                ask(client, model)
        settle(client)
        yield client


def ask(http: httpx.Client, model: str) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "Hi there"}]}
    answer = http.post("/v1/chat/completions", json=body, headers={"x-stoa-tags": f"t-{model}"})
    answer.raise_for_status()


def settle(http: httpx.Client) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while http.get("/api/v1/calls", params={"status": "open"}).json()["items"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def costs(http: httpx.Client, **params: str) -> Any:
    answer = http.get(COSTS, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def by_hand(http: httpx.Client) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for call in http.get("/api/v1/calls", params={"limit": 100}).json()["items"]:
        found[call["model"]] = found.get(call["model"], Decimal(0)) + Decimal(call["cost"] or 0)
    return found


def test_the_dashboard_is_the_sum_of_the_calls(http: httpx.Client) -> None:
    body, calls = costs(http, group_by="model"), by_hand(http)

    summary = body["summary"]
    assert body["currency"] == "USD"
    assert Decimal(summary["cost"]) == sum(calls.values())
    assert (summary["calls"], summary["unpriced"], summary["failed"]) == (7, 1, 0)
    assert Decimal(summary["average_cost"]) == sum(calls.values()) / 6
    assert summary["error_rate"] == "0"
    groups = {group["group"]: group for group in body["breakdown"]}
    assert {name: Decimal(group["cost"]) for name, group in groups.items()} == calls
    assert sum(Decimal(group["percentage"]) for group in body["breakdown"]) == 100
    assert [group["cost"] for group in body["breakdown"]] == sorted(
        (group["cost"] for group in body["breakdown"]), key=Decimal, reverse=True
    )


def test_the_series_has_every_day_of_the_last_month(http: httpx.Client) -> None:
    body = costs(http)

    assert (body["series_by"], body["breakdown_by"]) == ("day", "model")
    assert len(body["series"]) == 30
    assert [point["period"] for point in (body["series"][0], body["series"][-1])] == [
        body["since"],
        body["until"],
    ]
    assert body["series"][-1]["calls"] + body["series"][-2]["calls"] == 7
    assert body["series"][0]["cost"] == "0"


def test_days_are_included_at_both_ends(http: httpx.Client) -> None:
    today = costs(http)["until"]

    body = costs(http, since=today, until=today)

    assert [point["period"] for point in body["series"]] == [today]


@pytest.mark.parametrize("group_by", ["team", "user", "key", "provider", "tag", "arm"])
def test_every_grouping_has_the_same_total(http: httpx.Client, group_by: str) -> None:
    body = costs(http, group_by=group_by)

    total = sum(Decimal(group["cost"]) for group in body["breakdown"])
    assert body["breakdown_by"] == group_by
    assert total == Decimal(body["summary"]["cost"])


@pytest.mark.parametrize(
    ("group_by", "points"), [("week", {5, 6}), ("month", {1, 2}), ("day", {30})]
)
def test_periods_can_be_longer(http: httpx.Client, group_by: str, points: set[int]) -> None:
    assert len(costs(http, group_by=group_by)["series"]) in points


def test_what_is_beyond_the_limit_is_the_rest(http: httpx.Client) -> None:
    first, rest = costs(http, group_by="model", limit="1")["breakdown"]

    assert (first["group"], rest["group"], rest["label"]) == ("dear", None, "rest")
    assert rest["calls"] == 5
    assert Decimal(first["percentage"]) + Decimal(rest["percentage"]) == 100


def test_an_export_has_no_formulas(http: httpx.Client) -> None:
    answer = http.get(f"{COSTS}/export", params={"group_by": "model"})
    series = http.get(f"{COSTS}/export", params={"part": "series"})

    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="costs_breakdown.csv"' in answer.headers["content-disposition"]
    assert answer.content.count(b"\r\n") == 1 + len(CALLS)
    assert {row["group"] for row in rows} == {"cheap", "dear", "unknown", "'=2+3"}
    assert sum(Decimal(row["cost"]) for row in rows) == sum(by_hand(http).values())
    assert sum(int(row["calls"]) for row in csv.DictReader(io.StringIO(series.text))) == 7


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"group_by": "colour"}, "group_by"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "since"),
        ({"since": "1990-01-01", "until": "2026-01-01"}, "since"),
        ({"since": "0001-01-01", "until": "2026-01-01"}, "since"),
        ({"since": "0001-01-01", "until": "0001-01-02"}, "until"),
        ({"time_zone": "Moon/Sea"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"limit": "0"}, "limit"),
    ],
)
def test_what_cannot_be_summed_is_refused(
    http: httpx.Client, params: dict[str, str], field: str
) -> None:
    answer = http.get(COSTS, params=params)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_predicts_for_each_deployment_that_may_answer(http: httpx.Client) -> None:
    params = {"model": "either", "input_tokens": "1000", "max_output_tokens": "100", "n": "2"}

    body = http.get(PREDICT, params=params).json()

    assert body["currency"] == "USD"
    cheap, dear, unknown = body["deployments"]
    assert (cheap["model"], cheap["deployment"]) == ("cheap", "script/cheap")
    # 1,000 tokens of the prompt, and two answers: of one token, or of all that they may have.
    assert (cheap["low"], cheap["expected"], cheap["worst"]) == ("1.004", "1.4", "1.4")
    assert (dear["low"], dear["expected"], dear["worst"]) == ("0.312", "4.2", "4.2")
    assert (unknown["unpriced"], unknown["low"], unknown["worst"]) == (True, None, None)


def test_the_worst_of_a_text_is_that_every_byte_is_a_token(http: httpx.Client) -> None:
    params = {"model": "vectors", "input_characters": "1000"}

    [found] = http.get(PREDICT, params=params).json()["deployments"]

    assert (found["low"], found["expected"], found["worst"]) == ("0.25", "0.25", "4")


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"model": "nobody", "input_tokens": "1"}, 404),
        ({"model": "cheap"}, 400),
        ({"model": "cheap", "input_tokens": "1", "input_characters": "1"}, 400),
        ({"model": "cheap", "input_tokens": "-1"}, 400),
        ({"model": "cheap", "input_tokens": "1", "n": "0"}, 400),
        ({"input_tokens": "1"}, 400),
    ],
)
def test_what_cannot_be_predicted_is_refused(
    http: httpx.Client, params: dict[str, str], status: int
) -> None:
    assert http.get(PREDICT, params=params).status_code == status


def test_costs_are_summed_up_at_the_terminal(server: StoaServer, http: httpx.Client) -> None:
    table = server.run("costs", "dashboard", "--by", "model").stdout
    whole = json.loads(server.run("costs", "dashboard", "--by", "model", "--json").stdout)
    file = server.run("costs", "dashboard", "--by", "model", "--csv").stdout
    days = server.run("costs", "dashboard", "--csv").stdout

    assert "total" in table
    assert whole["summary"] == costs(http, group_by="model")["summary"]
    rows = list(csv.DictReader(io.StringIO(file)))
    assert {row["group"]: int(row["calls"]) for row in rows} == {
        name.replace("=", "'="): times for name, times in CALLS.items()
    }
    assert sum(int(row["calls"]) for row in csv.DictReader(io.StringIO(days))) == 7


def test_costs_are_predicted_at_the_terminal(server: StoaServer) -> None:
    words = ("either", "--input-tokens", "1000", "--max-output-tokens", "100", "-n", "2")

    table = server.run("costs", "predict", *words).stdout
    whole = json.loads(server.run("costs", "predict", *words, "--json").stdout)
    nobody = server.run("costs", "predict", "nobody", "--input-tokens", "1")

    assert "unpriced" in table
    assert [one["worst"] for one in whole["deployments"]] == ["1.4", "4.2", None]
    assert nobody.returncode != 0
