"""How prices are given at the terminal."""

from decimal import Decimal, InvalidOperation
from typing import Any

import click

from domain.models.prices import Prices, PriceTier

PRICE_NAMES = tuple(name for name in Prices.__slots__ if name != "tiers")


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
        if not above.isdecimal() or not {"input", "output"} <= {name for name, _ in given}:
            self.fail(f"'{value}' is no tier: write 200000:input=5,output=22.5.")
        amounts: dict[str, Any] = dict(given)
        return PriceTier(above=int(above), prices=Prices(**amounts))
