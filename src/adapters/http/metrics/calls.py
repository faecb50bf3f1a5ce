from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

from adapters.http.metrics.attempts import UNKNOWN, AttemptMetrics
from adapters.http.metrics.recalls import RecallMetrics
from application.inference.call_policy import AUTO
from application.models.ports import ModelCatalog
from application.operations.ports import CallObserver
from domain.inference.call import Call, CallStatus
from domain.shared.usage import Usage

LATENCY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
TTFT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_ENDPOINT_PREFIX = "/v1/"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """The metrics of one kind of call, with their labels looked up."""

    calls: Counter
    latency: Histogram
    ttft: Histogram
    cost: Counter
    prompt: Counter
    cached: Counter
    completion: Counter
    reasoning: Counter
    attempt: Counter


class PrometheusCallMetrics(CallObserver):
    """Counts calls, attempts, tokens and cost. A model or route that the catalog does not know is
    ``unknown``, so that no client can invent a label."""

    def __init__(self, registry: CollectorRegistry, catalog: ModelCatalog) -> None:
        self._catalog = catalog
        self._calls = Counter(
            "stoa_calls",
            "Model calls by outcome.",
            ("operation", "model", "provider", "status"),
            registry=registry,
        )
        self._tokens = Counter(
            "stoa_call_tokens",
            "Tokens of model calls; cached ones are also prompt, reasoning ones also completion.",
            ("kind", "model"),
            registry=registry,
        )
        self._cost = Counter(
            "stoa_call_cost_usd",
            "Cost of model calls in US dollars.",
            ("model",),
            registry=registry,
        )
        self._latency = Histogram(
            "stoa_call_latency_seconds",
            "Time from a call's admission to its outcome.",
            ("operation", "model"),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._ttft = Histogram(
            "stoa_call_ttft_seconds",
            "Time from a call's admission to the first byte of its answer.",
            ("operation", "model"),
            buckets=TTFT_BUCKETS,
            registry=registry,
        )
        self._provider_errors = Counter(
            "stoa_provider_errors", "Calls that failed.", ("provider", "code"), registry=registry
        )
        self._recalls = RecallMetrics(registry)
        self._attempts = AttemptMetrics(registry)
        self._bound: dict[tuple[str, str, str | None, CallStatus], _Bound] = {}

    def observe(self, call: Call) -> None:
        bound = self._bound.get((call.endpoint, call.model, call.deployment, call.status))
        if bound is None:
            bound = self._bind(call)
        bound.calls.inc()
        self._recalls.observe(call)
        if call.status is CallStatus.REFUSED:
            return
        self._count_attempts(bound, call)
        if call.latency_ms is not None:
            bound.latency.observe(call.latency_ms / 1000)
        if call.ttft_ms is not None:
            bound.ttft.observe(call.ttft_ms / 1000)
        if call.usage is not None and not call.is_recalled:
            _count_tokens(bound, call.usage)
        if call.cost:
            bound.cost.inc(float(call.cost))
        if call.status is CallStatus.FAILED:
            self._provider_errors.labels(call.provider or UNKNOWN, call.error_code or UNKNOWN).inc()

    def _count_attempts(self, bound: _Bound, call: Call) -> None:
        if call.deployment is None:
            return
        if call.attempts or call.status is not CallStatus.SUCCEEDED:
            self._attempts.observe(call, self._name_of(call) or UNKNOWN)
        else:
            bound.attempt.inc()

    def _name_of(self, call: Call) -> str | None:
        """The name of what was asked for, if there is such a thing."""
        name, team_id = call.model, call.team_id
        found = self._catalog.find(name, team_id) or self._catalog.route(name, team_id)
        if found is not None:
            return found.name
        return AUTO if name == AUTO else None

    def _bind(self, call: Call) -> _Bound:
        known = self._name_of(call)
        model = known or UNKNOWN
        operation = call.endpoint.removeprefix(_ENDPOINT_PREFIX)
        provider = call.provider or ""
        bound = _Bound(
            calls=self._calls.labels(operation, model, provider, call.status),
            latency=self._latency.labels(operation, model),
            ttft=self._ttft.labels(operation, model),
            cost=self._cost.labels(model),
            prompt=self._tokens.labels("prompt", model),
            cached=self._tokens.labels("cached", model),
            completion=self._tokens.labels("completion", model),
            reasoning=self._tokens.labels("reasoning", model),
            attempt=self._attempts.succeeded(call.deployment),
        )
        if known is not None:
            self._bound[call.endpoint, call.model, call.deployment, call.status] = bound
        return bound


def _count_tokens(bound: _Bound, usage: Usage) -> None:
    if usage.prompt_tokens:
        bound.prompt.inc(usage.prompt_tokens)
    if usage.cached_tokens:
        bound.cached.inc(usage.cached_tokens)
    if usage.completion_tokens:
        bound.completion.inc(usage.completion_tokens)
    if usage.reasoning_tokens:
        bound.reasoning.inc(usage.reasoning_tokens)
