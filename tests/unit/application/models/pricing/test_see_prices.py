from datetime import UTC, datetime
from decimal import Decimal

import pytest

from application.models.pricing.list_prices import ListPrices, ListPricesQuery
from application.models.pricing.look_up_price import LookUpPrice, LookUpPriceQuery
from application.models.pricing.ports import KnownPrices
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.identity.permissions import Role, permissions_of
from domain.models.price_schedule import DatedPrices, PriceInForce, PriceSource
from domain.models.prices import Prices
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import TEAM_ID, a_model
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.pricing import FixedPriceBook, FixedPrices
from tests.fakes.registry import FixedConfigurations

ADMIN = Actor(team_id=TEAM_ID, permissions=permissions_of(Role.ADMIN))
MEMBER = Actor(team_id=TEAM_ID, permissions=permissions_of(Role.MEMBER), allowed_models=("m*",))
UNPRICED = PriceInForce(source=PriceSource.UNPRICED)


async def test_prices_are_listed_of_what_one_may_use_page_by_page() -> None:
    catalog = InMemoryModelCatalog(*(a_model(name=name) for name in ("m1", "m2", "x", "m3")))
    use_case = ListPrices(catalog=catalog, prices=FixedPrices(UNPRICED))

    query = ListPricesQuery(actor=MEMBER, page=PageRequest(page=2, page_size=2))
    page = await use_case(query)

    assert [one.model.name for one in page.items] == ["m3"]
    assert (page.total, page.items[0].in_force) == (3, UNPRICED)


async def test_a_price_can_be_looked_up_without_a_model() -> None:
    prices = Prices(input=Decimal(1), output=Decimal(2))
    since = datetime(2026, 1, 1, tzinfo=UTC)
    known = KnownPrices(entry="a/b", schedule=(DatedPrices(prices=prices, since=since),))
    look_up = LookUpPrice(
        book=FixedPriceBook({"known": known}), configurations=FixedConfigurations()
    )

    found = await look_up(
        LookUpPriceQuery(actor=ADMIN, provider_type="acme", upstream_name="known")
    )
    nothing = await look_up(
        LookUpPriceQuery(actor=ADMIN, provider_type="acme", upstream_name="unknown")
    )

    assert (found, nothing) == (known, None)
    with pytest.raises(InvalidError, match="provider_type"):
        await look_up(LookUpPriceQuery(actor=ADMIN, provider_type="x", upstream_name="known"))
    with pytest.raises(ForbiddenError):
        await look_up(LookUpPriceQuery(actor=MEMBER, provider_type="acme", upstream_name="known"))
