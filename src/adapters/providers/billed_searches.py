"""What rankings are billed as, in the words of Cohere's ``meta``, which others repeat."""

import math

import msgspec

from adapters.providers.json_reading import NOT_JSON

_MOST_UNITS = 1e9


class _Billed(msgspec.Struct):
    search_units: float | None = None


class _Meta(msgspec.Struct):
    billed_units: _Billed | None = None


def searches_in(meta: msgspec.Raw) -> int | None:
    """``None`` where nothing is said of them that could be meant."""
    try:
        said = msgspec.json.decode(meta, type=_Meta | None)
    except NOT_JSON:
        # The ranking is sound, whatever is meant by that.
        return None
    units = said.billed_units.search_units if said is not None and said.billed_units else None
    return math.ceil(units) if units is not None and 0 < units < _MOST_UNITS else None
