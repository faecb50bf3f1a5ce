from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.models.price_schedule import DatedPrices
from domain.models.prices import Prices
from domain.models.registry.errors import wrong_fields
from domain.shared.ids import KeyId, ModelId, PriceId, TeamId, UserId

MAX_TIERS = 20
# More tokens than any model reads, and a number that every reader of JSON takes as it is.
LARGEST_PROMPT = 10**12
# What a price may be at most, and how fine: more than any provider asks for, by far.
MOST = Decimal(10_000_000)
MAX_PLACES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOverride:
    """What a team says that a model costs from ``effective_from`` on: either one of its registry
    (``model_id``), or a deployment of the configuration, which costs that for this team."""

    id: PriceId
    team_id: TeamId
    model_id: ModelId | None = None
    provider: str | None = None
    upstream_name: str | None = None
    effective_from: datetime
    prices: Prices
    created_at: datetime
    user_id: UserId | None = None
    key_id: KeyId | None = None

    @property
    def dated(self) -> DatedPrices:
        return DatedPrices(since=self.effective_from, prices=self.prices)

    def check(self) -> None:
        """Raise ``InvalidError`` that names each price that is wrong."""
        problems = list(_problems(self.prices, ""))
        tiers = self.prices.tiers
        if len(tiers) > MAX_TIERS:
            problems.append(("tiers", f"must have at most {MAX_TIERS} members"))
        if len({tier.above for tier in tiers}) < len(tiers):
            problems.append(("tiers", "must each be above another size"))
        for number, tier in enumerate(tiers):
            if not 1 <= tier.above <= LARGEST_PROMPT:
                message = f"must be from 1 to {LARGEST_PROMPT}"
                problems.append((f"tiers.{number}.above", message))
            problems += _problems(tier.prices, f"tiers.{number}.")
        if problems:
            raise wrong_fields(problems)


def _problems(prices: Prices, prefix: str) -> Iterator[tuple[str, str]]:
    for name in Prices.__slots__:
        price = getattr(prices, name)
        if isinstance(price, Decimal) and not _is_price(price):
            yield f"{prefix}{name}", f"must be a number from 0 to {MOST}"


def _is_price(price: Decimal) -> bool:
    if not price.is_finite() or not 0 <= price <= MOST:
        return False
    exponent = price.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MAX_PLACES
