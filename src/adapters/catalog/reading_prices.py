from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from adapters.catalog.fields import Fields
from domain.models.prices import Prices, PriceTier
from domain.models.served_model import ModelKind

_OF_TOKENS = frozenset({ModelKind.CHAT, ModelKind.EMBEDDING})
_SPECIAL_PRICES = (
    "cached_input",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "audio_input",
    "audio_output",
    "character",
    "request",
    "image",
    "second",
)


def read_prices(fields: Fields, kind: ModelKind) -> Prices | None:
    nested = fields.fields("prices")
    if nested is None:
        return None
    amounts = _read_amounts(nested, kind)
    tiers = tuple(_read_tiers(nested, kind))
    nested.end()
    if not amounts and kind not in _OF_TOKENS:
        fields.note("prices", f"must have one of input, output, {', '.join(_SPECIAL_PRICES)}")
    return Prices(**_whole(amounts), tiers=tiers)


def _read_amounts(fields: Fields, kind: ModelKind) -> dict[str, Any]:
    # Embeddings have no output, and much that is no text is not billed by tokens at all: nobody
    # should have to write down that what does not exist costs nothing.
    read = {
        "input": fields.decimal("input", required=kind in _OF_TOKENS),
        "output": fields.decimal("output", required=kind is ModelKind.CHAT),
        **{name: fields.decimal(name) for name in _SPECIAL_PRICES},
    }
    return {name: price for name, price in read.items() if price is not None}


def _read_tiers(fields: Fields, kind: ModelKind) -> Iterator[PriceTier]:
    sizes: set[int] = set()
    for tier in fields.entries("tiers"):
        if isinstance(tier, str):
            fields.note("tiers", "must be a list of mappings, each with 'above' and prices")
            continue
        above = tier.whole("above")
        if above is None and not tier.has("above"):
            tier.note("above", "is missing: the tokens that a prompt has more than")
        amounts = _read_amounts(tier, kind)
        tier.end()
        if above in sizes:
            tier.note("above", f"repeats {above}")
        elif above is not None:
            sizes.add(above)
            yield PriceTier(above=above, prices=Prices(**_whole(amounts)))


def _whole(amounts: dict[str, Any]) -> dict[str, Any]:
    return {"input": Decimal(0), "output": Decimal(0), **amounts}
