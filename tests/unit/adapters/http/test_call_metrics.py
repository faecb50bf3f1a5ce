from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry, generate_latest

from adapters.http.metrics.calls import PrometheusCallMetrics
from application.models.ports import ModelCatalog
from domain.inference.call import Call, CallStatus
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
