from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry, generate_latest

from adapters.http.metrics.calls import PrometheusCallMetrics
from adapters.http.metrics.exposition import Exposition
from application.models.ports import ModelCatalog
from domain.inference.call import Attempt, Call, CallStatus
from domain.models.prices import Prices
from domain.models.route import Route
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.ids import CallId, TeamId
from domain.shared.usage import Usage

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LARGE = ServedModel(
    name="large", kind=ModelKind.CHAT, provider="acme", upstream_name="l", aliases=("big",)
)


class OneModel(ModelCatalog):
    def find(self, name: str, team_id: TeamId) -> ServedModel | None:
        return LARGE if name in LARGE.names else None

    def route(self, name: str, team_id: TeamId) -> Route | None:
        return None

    def all(self, team_id: TeamId) -> Sequence[ServedModel]:
        return (LARGE,)

    def routes(self, team_id: TeamId) -> Sequence[Route]:
        return ()


def a_call(model: str = "large", **members: Any) -> Call:
    return Call(
        id=CallId(UUID(int=1)),
        team_id=TeamId(UUID(int=2)),
        key_id=None,
        user_id=None,
        correlation_id="c-1",
        endpoint="/v1/chat/completions",
        model=model,
        stream=False,
        created_at=NOON,
        **members,
    )


def settled(call: Call, status: CallStatus, **outcome: Any) -> Call:
    call.settle(status, at=NOON, latency_ms=2000, **outcome)
    return call


def observed(*calls: Call) -> CollectorRegistry:
    registry = CollectorRegistry()
    metrics = PrometheusCallMetrics(registry, OneModel())
    for call in calls:
        metrics.observe(call)
    return registry


def test_counts_a_call_with_its_tokens_cost_and_times() -> None:
    price = Prices(input=Decimal(1), output=Decimal(10))
    call = a_call(provider="acme", price=price, ttft_ms=500)
    usage = Usage(prompt_tokens=100, cached_tokens=40, completion_tokens=20, reasoning_tokens=5)

    registry = observed(settled(call, CallStatus.SUCCEEDED, usage=usage))

    def sample(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert (
        sample(
            "stoa_calls_total",
            operation="chat/completions",
            model="large",
            provider="acme",
            status="succeeded",
        )
        == 1
    )
    tokens = {
        kind: sample("stoa_call_tokens_total", kind=kind, model="large")
        for kind in ("prompt", "cached", "completion", "reasoning")
    }
    assert tokens == {"prompt": 100, "cached": 40, "completion": 20, "reasoning": 5}
    assert sample("stoa_call_cost_usd_total", model="large") == 0.0003
    times = {"operation": "chat/completions", "model": "large"}
    assert sample("stoa_call_latency_seconds_sum", **times) == 2
    assert sample("stoa_call_ttft_seconds_sum", **times) == 0.5


def test_an_alias_counts_for_its_model() -> None:
    registry = observed(settled(a_call("big", provider="acme"), CallStatus.CANCELLED))

    assert b'model="large"' in generate_latest(registry)
    assert b'model="big"' not in generate_latest(registry)


def test_clients_cannot_invent_models() -> None:
    calls = [settled(a_call(f"made-up-{i}"), CallStatus.REFUSED) for i in range(50)]

    registry = observed(*calls)

    found = registry.get_sample_value(
        "stoa_calls_total",
        {
            "operation": "chat/completions",
            "model": "unknown",
            "provider": "",
            "status": "refused",
        },
    )
    assert found == 50
    assert b"made-up" not in generate_latest(registry)


def test_failures_are_counted_by_provider_and_code() -> None:
    call = settled(a_call(provider="acme"), CallStatus.FAILED, error_code="PROVIDER_TIMEOUT")

    registry = observed(call)

    labels = {"provider": "acme", "code": "PROVIDER_TIMEOUT"}
    assert registry.get_sample_value("stoa_provider_errors_total", labels) == 1


def test_the_only_attempt_of_a_call_is_counted_with_its_end() -> None:
    registry = observed(
        settled(a_call(provider="acme", deployment="acme/l"), CallStatus.SUCCEEDED),
        settled(
            a_call(provider="acme", deployment="acme/l"), CallStatus.FAILED, error_code="BROKEN"
        ),
        settled(a_call(), CallStatus.CANCELLED, error_code="CANCELLED"),
        settled(a_call(), CallStatus.REFUSED),
    )

    shown = generate_latest(registry).decode()
    attempts = {line for line in shown.splitlines() if line.startswith("stoa_attempts_total")}
    assert {line for line in attempts if not line.endswith(" 0.0")} == {
        'stoa_attempts_total{deployment="acme/l",outcome="succeeded"} 1.0',
        'stoa_attempts_total{deployment="acme/l",outcome="BROKEN"} 1.0',
    }


def test_attempts_and_fallbacks_of_a_call_are_counted() -> None:
    attempts = tuple(
        Attempt(deployment=deployment, began_ms=0, took_ms=0, outcome=outcome)
        for deployment, outcome in (("a/x", "PROVIDER_ERROR"), ("b/x", "succeeded"))
    )
    registry = observed(
        settled(a_call("auto", deployment="b/x", attempts=attempts), CallStatus.SUCCEEDED),
        settled(a_call("none", deployment="b/x", attempts=attempts[1:]), CallStatus.SUCCEEDED),
    )

    value = registry.get_sample_value
    failed = {"deployment": "a/x", "outcome": "PROVIDER_ERROR"}
    assert value("stoa_attempts_total", failed) == 1
    assert value("stoa_attempts_total", {"deployment": "b/x", "outcome": "succeeded"}) == 2
    assert value("stoa_fallbacks_total", {"model": "auto"}) == 1
    assert value("stoa_fallbacks_total", {"model": "unknown"}) is None


def test_breakers_are_shown_as_they_are_when_asked() -> None:
    states = {"a/x": 2}
    exposition = Exposition(version="1", ledger_backlog=int, breakers=states.items)

    first = exposition.render("")[0].decode()
    states["a/x"] = 0

    assert 'stoa_deployment_breaker{deployment="a/x"} 2.0' in first
    assert 'stoa_deployment_breaker{deployment="a/x"} 0.0' in exposition.render("")[0].decode()
