from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from application.models.pricing.live_prices import LivePrices, Place, TeamPrices
from application.models.pricing.ports import KnownPrices
from domain.models.price_schedule import DatedPrices, PriceSource
from domain.models.prices import FREE, Prices
from domain.models.served_model import ServedModel
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_model
from tests.fakes.clock import START, FrozenClock
from tests.fakes.pricing import FixedPriceBook

ONE, TWO, THREE = (Prices(input=Decimal(n), output=Decimal(n)) for n in (1, 2, 3))
SAID = a_model(name="said", provider="far", upstream_name="said-1", prices=ONE)
KNOWN = a_model(name="known", provider="far", upstream_name="known-1", prices=None)
HERE = a_model(name="here", provider="near", upstream_name="here-1", prices=None)
NOBODY = a_model(name="nobody", provider="far", upstream_name="nobody-1", prices=None)
PLACES = {
    "far": Place(provider_type="openai"),
    "near": Place(provider_type="local", is_local=True),
}
MODELS = (SAID, KNOWN, HERE, NOBODY)
IN_AN_HOUR = START + timedelta(hours=1)


def from_now(prices: Prices) -> tuple[DatedPrices, ...]:
    return (DatedPrices(prices=prices, since=START),)


class World:
    def __init__(self) -> None:
        self.clock = FrozenClock()
        known = KnownPrices(entry="openai/known", schedule=(DatedPrices(prices=TWO),))
        self.book = FixedPriceBook({"known-1": known})
        self.live = LivePrices(self.book, self.clock, places=PLACES, models=MODELS)

    async def follow(self, prices: TeamPrices | None = None, *models: ServedModel) -> None:
        await self.live.follow({TEAM_ID: prices or TeamPrices()}, models)


@pytest.mark.parametrize(
    ("model", "source", "prices"),
    [
        (SAID, PriceSource.CONFIGURATION, ONE),
        (KNOWN, PriceSource.BOOK, TWO),
        (HERE, PriceSource.LOCAL, FREE),
        (NOBODY, PriceSource.UNPRICED, None),
    ],
    ids=["said", "known", "here", "nobody"],
)
async def test_a_price_comes_from_the_first_that_knows_one(
    model: ServedModel, source: PriceSource, prices: Prices | None
) -> None:
    world = World()
    await world.follow()

    found = world.live.of(model, TEAM_ID)
    priced = world.live.priced(model, TEAM_ID)

    assert (found.source, found.prices) == (source, prices)
    assert priced == replace(model, prices=prices)
    assert world.live.of(priced, TEAM_ID) == found


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
async def test_what_a_team_sets_wins_and_only_there(model: ServedModel) -> None:
    world = World()
    await world.follow()
    before = world.live.of(model, OTHER_TEAM_ID)

    await world.follow(TeamPrices(deployments={model.deployment: from_now(THREE)}))

    assert world.live.of(model, TEAM_ID).source is PriceSource.OVERRIDE
    assert world.live.priced(model, TEAM_ID).prices == THREE
    assert world.live.of(model, OTHER_TEAM_ID) == before
    assert (world.live.has_own(TEAM_ID), world.live.has_own(OTHER_TEAM_ID)) == (True, False)


async def test_a_model_of_a_registry_costs_everybody_what_its_owner_says() -> None:
    world = World()
    own = replace(KNOWN, owner=TEAM_ID, provider="acme")
    places = {"acme": Place(provider_type="openai")}

    await world.follow(TeamPrices(places=places), own)
    published = world.live.of(own, OTHER_TEAM_ID)
    await world.follow(TeamPrices(places=places, models={"known": from_now(THREE)}), own)

    assert published.source is PriceSource.BOOK
    assert world.live.priced(own, OTHER_TEAM_ID).prices == THREE


async def test_a_price_holds_from_its_moment_on() -> None:
    world = World()
    later = DatedPrices(prices=THREE, since=IN_AN_HOUR)
    await world.follow(TeamPrices(deployments={KNOWN.deployment: (later,)}))

    before = world.live.of(KNOWN, TEAM_ID)
    wait_s = world.live.seconds_to_change()
    world.clock.advance(3600)
    after = world.live.of(KNOWN, TEAM_ID)

    assert (before.prices, before.changes_at) == (TWO, IN_AN_HOUR)
    assert wait_s == 3600
    assert (after.prices, after.since, after.changes_at) == (THREE, IN_AN_HOUR, None)
    assert world.live.seconds_to_change() is None


async def test_published_prices_change_at_their_dates_too() -> None:
    world = World()
    schedule = (DatedPrices(prices=TWO), DatedPrices(prices=ONE, since=IN_AN_HOUR))
    world.book.known["known-1"] = KnownPrices(entry="openai/known", schedule=schedule)
    await world.follow()

    world.clock.advance(3600)

    assert world.live.priced(KNOWN, TEAM_ID).prices == ONE


async def test_the_book_is_asked_once_for_what_nobody_said() -> None:
    world = World()

    await world.follow()
    await world.follow()

    assert sorted(one.upstream_name for one in world.book.asked) == ["known-1", "nobody-1"]


async def test_a_book_that_was_closed_is_opened_again() -> None:
    world = World()
    world.book.is_closed = True
    await world.follow()
    missing = world.live.of(KNOWN, TEAM_ID).source
    wait_s = world.live.seconds_to_change()

    world.book.is_closed = False
    await world.live.learn()

    assert (missing, wait_s) == (PriceSource.UNPRICED, 60)
    assert world.live.of(KNOWN, TEAM_ID).source is PriceSource.BOOK
    assert world.live.seconds_to_change() is None
