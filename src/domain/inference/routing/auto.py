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
) -> list[Ranked]:
    """All of them can answer. Their places by expected price and by time to the first token are
    added up, and the smallest sum wins; what was not measured counts as fast, so that it will be.
    Among equals the cheaper one is first."""
    by_price = _places([(price_place(model, estimate), model) for model, _ in models])
    by_latency = _places([(standing.latency(now) or 0.0, model) for model, standing in models])
    ordered = sorted(
        models,
        key=lambda item: (
            by_price[item[0].name] + by_latency[item[0].name],
            by_price[item[0].name],
        ),
    )
    able = f", able: {', '.join(sorted(needs))}" if needs else ""
    return [
        Ranked(
            model=model,
            reason=f"auto: of {len(models)} the {_price(model, estimate)}"
            f" (place {by_price[model.name]}), {_latency(standing, now)}"
            f" (place {by_latency[model.name]}){able}",
        )
        for model, standing in ordered
    ]


def _places(scored: Sequence[tuple[tuple[object, ...] | object, ServedModel]]) -> dict[str, int]:
    """Equal scores share a place."""
    different = sorted({score for score, _ in scored})  # type: ignore[type-var]  # one sort each
    return {model.name: different.index(score) + 1 for score, model in scored}


def _price(model: ServedModel, estimate: TokenEstimate) -> str:
    cost = expected_cost(model, estimate)
    return "one without a price" if cost is None else f"one at about ${cost:.6f}"


def _latency(standing: Standing, now: float) -> str:
    latency = standing.latency(now)
    return "not measured yet" if latency is None else f"{latency:.0f} ms to the first token"
