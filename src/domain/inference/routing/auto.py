"""Which of all models answers a call that leaves the choice to the gateway."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.inference.routing.standing import Standing, expected_cost, price_place
from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import Capability, ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A model with the reason for its place, for people."""

    model: ServedModel
    reason: str


def ranked(
    models: Sequence[tuple[ServedModel, Standing]],
    estimate: TokenEstimate,
    needs: frozenset[Capability],
    now: float,
    *,
    is_stream: bool = True,
) -> list[Ranked]:
    """All of them can answer. Their places by expected price and by time to the first token, or to
    the whole answer, are added up, and the smallest sum wins; what was not measured counts as fast,
    so that it will be. Among equals the cheaper one is first."""
    by_price = _places([(price_place(model, estimate), model) for model, _ in models])
    latencies = {model.name: at.latency(now, is_stream=is_stream) for model, at in models}
    by_latency = _places([(latencies[model.name] or 0.0, model) for model, _ in models])
    ordered = sorted(
        models,
        key=lambda item: (
            by_price[item[0].name] + by_latency[item[0].name],
            by_price[item[0].name],
        ),
    )
    told = {name: _latency(ms, is_stream=is_stream) for name, ms in latencies.items()}
    able = f", able: {', '.join(sorted(needs))}" if needs else ""
    return [
        Ranked(
            model=model,
            reason=f"auto: of {len(models)} the {_price(model, estimate)}"
            f" (place {by_price[model.name]}), {told[model.name]}"
            f" (place {by_latency[model.name]}){able}",
        )
        for model, _ in ordered
    ]


def _places(scored: Sequence[tuple[tuple[object, ...] | object, ServedModel]]) -> dict[str, int]:
    """Equal scores share a place."""
    different = sorted({score for score, _ in scored})  # type: ignore[type-var]  # one sort each
    return {model.name: different.index(score) + 1 for score, model in scored}


def _price(model: ServedModel, estimate: TokenEstimate) -> str:
    cost = expected_cost(model, estimate)
    return "one without a price" if cost is None else f"one at about ${cost:.6f}"


def _latency(latency_ms: float | None, *, is_stream: bool) -> str:
    if latency_ms is None:
        return "not measured yet"
    return f"{latency_ms:.0f} ms to the {'first token' if is_stream else 'answer'}"
