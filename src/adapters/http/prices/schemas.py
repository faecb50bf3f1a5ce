from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import Meta, Struct

from adapters.http.calls.schemas import PriceView
from adapters.http.page_numbers import numbers_of
from application.models.pricing.list_prices import PriceOfModel
from application.shared.pagination import Page
from domain.models.price_override import MAX_PLACES, MAX_TIERS, PriceOverride
from domain.models.price_schedule import PriceSource
from domain.models.prices import Prices, PriceTier
from domain.models.served_model import ModelKind

Amount = Annotated[
    str,
    Meta(
        pattern=rf"^[0-9]{{1,8}}(\.[0-9]{{1,{MAX_PLACES}}})?$",
        description="US dollars, such as `0.15`.",
    ),
]


class AmountsBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """US dollars per million tokens; `character` per million characters, `request`, `image` and
    `second` each. What is left out has no price of its own: it costs what `input` or `output`
    does, or nothing where it is not tokens."""

    input: Amount
    output: Amount
    cached_input: Amount | None = None
    cache_write: Amount | None = None
    cache_write_1h: Amount | None = None
    reasoning: Amount | None = None
    audio_input: Amount | None = None
    audio_output: Amount | None = None
    character: Amount | None = None
    request: Amount | None = None
    image: Amount | None = None
    second: Amount | None = None

    def amounts(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in AmountsBody.__struct_fields__}
        return {name: Decimal(text) for name, text in given.items() if text is not None}


class TierBody(AmountsBody, kw_only=True, forbid_unknown_fields=True):
    """What a request costs, whole, whose prompt has more tokens than `above`."""

    above: int


class SetModelPriceBody(AmountsBody, kw_only=True, forbid_unknown_fields=True):
    """What the model costs from `effective_from` on, or at once."""

    tiers: Annotated[tuple[TierBody, ...], Meta(max_length=MAX_TIERS)] = ()
    effective_from: datetime | None = None

    def to_prices(self) -> Prices:
        tiers = (
            PriceTier(above=tier.above, prices=Prices(**tier.amounts())) for tier in self.tiers
        )
        return Prices(**self.amounts(), tiers=tuple(tiers))


class SetPriceBody(SetModelPriceBody, kw_only=True, forbid_unknown_fields=True):
    """`model` is the name of a model that is served to the team, or the id of one of its own."""

    model: str


class TierView(Struct, kw_only=True):
    above: int
    prices: PriceView


class PricesView(PriceView, kw_only=True):
    """`tiers` are what requests cost, whole, whose prompts have more tokens than `above`."""

    tiers: tuple[TierView, ...]

    @classmethod
    def of_all(cls, prices: Prices) -> Self:
        base = PriceView.of(prices)
        shown: dict[str, Any] = {name: getattr(base, name) for name in PriceView.__struct_fields__}
        tiers = tuple(
            TierView(above=tier.above, prices=PriceView.of(tier.prices)) for tier in prices.tiers
        )
        return cls(**shown, tiers=tiers)


class SetPriceView(Struct, kw_only=True):
    """A price that the team has set: of a model of its registry (`model_id`), or of a deployment of
    the configuration (`provider` and `upstream_name`)."""

    id: UUID
    model_id: UUID | None
    provider: str | None
    upstream_name: str | None
    effective_from: datetime
    prices: PricesView
    created_at: datetime
    user_id: UUID | None
    key_id: UUID | None

    @classmethod
    def of(cls, price: PriceOverride) -> Self:
        return cls(
            id=price.id,
            model_id=price.model_id,
            provider=price.provider,
            upstream_name=price.upstream_name,
            effective_from=price.effective_from,
            prices=PricesView.of_all(price.prices),
            created_at=price.created_at,
            user_id=price.user_id,
            key_id=price.key_id,
        )


class SetPriceList(Struct, kw_only=True):
    """The latest first."""

    items: tuple[SetPriceView, ...]


class ModelPriceView(Struct, kw_only=True):
    """What a call of the model costs the team now. `source` says where that comes from: `override`
    (the team has set it), `configuration`, `book` (the provider publishes it), `local` (it runs on
    the server itself), or `unpriced`, which is not free: nobody has said. `changes_at` is when
    another price comes into force. `not_expressed` is what the provider bills and Stoa does not
    count."""

    model: str
    aliases: tuple[str, ...]
    kind: ModelKind
    deployment: str
    source: PriceSource
    prices: PricesView | None
    since: datetime | None
    changes_at: datetime | None
    entry: str | None
    not_expressed: tuple[str, ...]

    @classmethod
    def of(cls, price: PriceOfModel) -> Self:
        model, found = price.model, price.in_force
        return cls(
            model=model.name,
            aliases=model.aliases,
            kind=model.kind,
            deployment=model.deployment,
            source=found.source,
            prices=None if found.prices is None else PricesView.of_all(found.prices),
            since=found.since,
            changes_at=found.changes_at,
            entry=found.entry,
            not_expressed=found.not_expressed,
        )


class ModelPricePage(Struct, kw_only=True):
    items: tuple[ModelPriceView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[PriceOfModel]) -> Self:
        return cls(items=tuple(map(ModelPriceView.of, page.items)), **numbers_of(page))
