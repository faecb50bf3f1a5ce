"""Which share of its calls a deployment of a LiteLLM proxy gets, and when."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from adapters.catalog.litellm_numbers import number, whole

_LARGEST = 1_000_000
_LAST = 999


def weights_of(deployments: Sequence[Mapping[str, Any]]) -> list[int] | None:
    """The first of weight, rpm and tpm that any of them says counts for all: who does not say it
    then has no share while another one is there. ``None`` where all have the same."""
    for key in ("weight", "rpm", "tpm"):
        amounts = [number(one.get(key)) or Decimal(0) for one in deployments]
        if any(amounts):
            return None if len(set(amounts)) == 1 else _whole(amounts)
    return None


def priorities_of(deployments: Sequence[Mapping[str, Any]]) -> list[int] | None:
    """Who says no order comes after all that do."""
    orders = [order_of(one) for one in deployments]
    known = {order for order in orders if order is not None}
    if not known or (known == set(orders) and len(known) == 1):
        return None
    return [max(known) + 1 if order is None else order for order in orders]


def order_of(deployment: Mapping[str, Any]) -> int | None:
    order = whole(deployment.get("order"))
    return None if order is None or order > _LAST else order


def _whole(amounts: Sequence[Decimal]) -> list[int]:
    exact = [Fraction(amount) for amount in amounts]
    common = math.lcm(*(one.denominator for one in exact))
    counts = [int(one * common) for one in exact]
    divisor = math.gcd(*counts)
    counts = [one // divisor for one in counts]
    excess = max(Fraction(max(counts), _LARGEST), Fraction(1))
    return [max(round(one / excess), 1) if one else 0 for one in counts]
