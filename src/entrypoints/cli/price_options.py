"""How prices are given at the terminal."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from domain.models.prices import Prices, PriceTier
from domain.models.served_model import ModelKind

LONGEST_SIZE = 20
PRICE_NAMES = tuple(name for name in Prices.__slots__ if name != "tiers")


# What has to be said of models of these kinds: what is left out would cost nothing.
_NEEDED = {
    ModelKind.CHAT: ("input", "output"),
    ModelKind.EMBEDDING: ("input",),
    **dict.fromkeys(set(ModelKind) - {ModelKind.CHAT, ModelKind.EMBEDDING}, ()),
}


def whole_prices(
    given: Mapping[str, Decimal], tiers: tuple[PriceTier, ...], kind: ModelKind | None
) -> Prices:
    """``kind`` is ``None`` for a model that is not served at the moment."""
    missing = [name for name in _NEEDED[kind or ModelKind.CHAT] if name not in given]
    if missing:
        raise click.UsageError(
            f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing. "
            f"Write {' '.join(f'{name}=0' for name in missing)} for what is free."
        )
    amounts: dict[str, Any] = {"input": Decimal(0), "output": Decimal(0), **given}
    return Prices(**amounts, tiers=tiers)


class PriceType(click.ParamType[tuple[str, Decimal]]):
    """``input=2.5``: what is billed, and US dollars."""

    name = "WHAT=DOLLARS"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Decimal]:
        name, _, amount = str(value).partition("=")
        if name not in PRICE_NAMES:
            self.fail(f"'{name}' is not billed: it is one of {', '.join(PRICE_NAMES)}.")
        try:
            return name, Decimal(amount)
        except InvalidOperation:
            self.fail(f"'{amount}' is no amount of US dollars.")


class TierType(click.ParamType[PriceTier]):
    """``200000:input=5,output=22.5``: what longer prompts are billed at."""

    name = "ABOVE:WHAT=DOLLARS,…"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> PriceTier:
        above, _, prices = str(value).partition(":")
        given = [PriceType().convert(one, param, ctx) for one in prices.split(",")]
        if not (above.isdecimal() and len(above) <= LONGEST_SIZE) or not {"input", "output"} <= {
            name for name, _ in given
        }:
            self.fail(f"'{value}' is no tier: write 200000:input=5,output=22.5.")
        amounts: dict[str, Any] = dict(given)
        return PriceTier(above=int(above), prices=Prices(**amounts))
