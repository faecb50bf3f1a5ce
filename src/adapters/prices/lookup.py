"""Reads the price data that its makers maintain, in a process of its own: what reads it takes more
memory than a server needs that waits for calls.

A script that is started by its path, with questions on its standard input and answers on its
standard output, both JSON; nothing of Stoa is imported.
"""

import json
import sys
from datetime import time
from typing import Any

from genai_prices import types
from genai_prices.data_snapshot import get_snapshot


def main() -> None:
    questions = json.load(sys.stdin)
    json.dump([answer(question) for question in questions], sys.stdout)


def answer(question: dict[str, Any]) -> dict[str, Any] | None:
    """``None`` for what is not in the data."""
    try:
        provider, model = get_snapshot().find_provider_model(
            question["model"], None, question["provider"], question["url"]
        )
    except LookupError:
        return None
    if isinstance(model.prices, types.ModelPrice):
        dated = [types.ConditionalPrice(prices=model.prices)]
    else:
        dated = model.prices
    variants = [variant.when for variant in model.price_variants or ()]
    return {
        "entry": f"{provider.id}/{model.id}",
        "context_window": model.context_window,
        "prices": [_conditional(one) for one in dated],
        "variants": sorted({f"{k}={v}" for when in variants for k, v in when.items()}),
    }


def _conditional(price: types.ConditionalPrice) -> dict[str, Any]:
    constraint = price.constraint
    since = hours = None
    if isinstance(constraint, types.StartDateConstraint):
        since = constraint.start_date.isoformat()
    elif constraint is not None:
        hours = [_clock(constraint.start_time), _clock(constraint.end_time)]
    units = {key: _price(value) for key, value in vars(price.prices).items() if value is not None}
    return {"since": since, "hours": hours, "units": units}


def _clock(moment: time) -> str:
    return moment.isoformat()


def _price(value: Any) -> dict[str, Any]:
    if isinstance(value, types.TieredPrices):
        tiers = [[tier.start, str(tier.price)] for tier in value.tiers]
        return {"base": str(value.base), "tiers": tiers}
    return {"base": str(value), "tiers": []}


if __name__ == "__main__":
    main()
