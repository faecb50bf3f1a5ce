from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.models.announcing import write
from adapters.postgres.models.price_rows import (
    FK_PRICE_MODEL,
    SPECIAL_PRICES,
    UQ_PRICE_OF_DEPLOYMENT,
    UQ_PRICE_OF_MODEL,
    prices,
)
from application.models.pricing.ports import PriceOverrides
from domain.models.errors import PriceNotFoundError, PriceTakenError
from domain.models.price_override import PriceOverride
from domain.models.prices import Prices, PriceTier
from domain.models.registry.errors import ModelNotRegisteredError
from domain.shared.errors import StoaError
from domain.shared.ids import KeyId, ModelId, PriceId, TeamId, UserId

_NAMES = ("input", "output", *SPECIAL_PRICES)


class PostgresPrices(PriceOverrides):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, price: PriceOverride) -> None:
        taken = PriceTakenError()
        problems: dict[str, StoaError] = {
            UQ_PRICE_OF_MODEL: taken,
            UQ_PRICE_OF_DEPLOYMENT: taken,
            FK_PRICE_MODEL: ModelNotRegisteredError(),
        }
        with translated(problems):
            await write(self._session, price.team_id, insert(prices).values(_values(price)))

    async def get(self, team_id: TeamId, price_id: PriceId) -> PriceOverride:
        with translated():
            found = await self._session.execute(
                select(prices).where(prices.c.team_id == team_id, prices.c.id == price_id)
            )
        row = found.mappings().one_or_none()
        if row is None:
            raise PriceNotFoundError
        return price_of(row)

    async def remove(self, price: PriceOverride) -> None:
        statement = delete(prices).where(prices.c.team_id == price.team_id, prices.c.id == price.id)
        with translated():
            await write(self._session, price.team_id, statement)

    async def all(self, team_id: TeamId) -> Sequence[PriceOverride]:
        statement = (
            select(prices)
            .where(prices.c.team_id == team_id)
            .order_by(prices.c.effective_from.desc(), prices.c.id.desc())
        )
        with translated():
            rows = await self._session.execute(statement)
        return tuple(map(price_of, rows.mappings()))


def price_of(row: Mapping[Any, Any]) -> PriceOverride:
    tiers = tuple(
        PriceTier(above=tier["above"], prices=Prices(**_decimals(tier["prices"])))
        for tier in row["tiers"]
    )
    amounts: dict[str, Any] = {name: row[name] for name in _NAMES}
    return PriceOverride(
        id=PriceId(row["id"]),
        team_id=TeamId(row["team_id"]),
        model_id=None if row["model_id"] is None else ModelId(row["model_id"]),
        provider=row["provider"],
        upstream_name=row["upstream_name"],
        effective_from=row["effective_from"],
        prices=Prices(**amounts, tiers=tiers),
        created_at=row["created_at"],
        user_id=None if row["user_id"] is None else UserId(row["user_id"]),
        key_id=None if row["key_id"] is None else KeyId(row["key_id"]),
    )


def _values(price: PriceOverride) -> dict[str, Any]:
    return {
        "id": price.id,
        "team_id": price.team_id,
        "model_id": price.model_id,
        "provider": price.provider,
        "upstream_name": price.upstream_name,
        "effective_from": price.effective_from,
        **{name: getattr(price.prices, name) for name in _NAMES},
        "tiers": [
            {"above": tier.above, "prices": _texts(tier.prices)} for tier in price.prices.tiers
        ],
        "created_at": price.created_at,
        "user_id": price.user_id,
        "key_id": price.key_id,
    }


def _texts(prices_of_tier: Prices) -> dict[str, str]:
    """JSON has no decimal numbers that everybody reads exactly."""
    amounts = {name: getattr(prices_of_tier, name) for name in _NAMES}
    return {name: str(amount) for name, amount in amounts.items() if amount is not None}


def _decimals(texts: Mapping[str, str]) -> dict[str, Any]:
    return {name: Decimal(text) for name, text in texts.items()}
