"""Numbers as they stand in the file of a LiteLLM proxy."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any


def numbers_taken(given: dict[str, Any], names: Mapping[str, str]) -> dict[str, int]:
    """Those that are whole numbers above zero, by our names; they are taken out."""
    found = {theirs: whole(given.get(theirs)) for theirs in names}
    taken = {theirs: amount for theirs, amount in found.items() if amount}
    for theirs in taken:
        del given[theirs]
    return {names[theirs]: amount for theirs, amount in taken.items()}


def whole(value: object) -> int | None:
    """Also one that stands in quotes."""
    found = number(value)
    return None if found is None or found != found.to_integral_value() else int(found)


def number(value: object) -> Decimal | None:
    """YAML takes ``3e-7`` for a text, and so do those who write it for a number."""
    try:
        found = Decimal(-1 if value is None or isinstance(value, bool) else str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found >= 0 else None


def seconds(value: object) -> float | None:
    found = number(value)
    return float(found) if found else None
