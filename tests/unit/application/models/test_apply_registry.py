from dataclasses import replace
from decimal import Decimal

import pytest

from application.models.applying.read_registry import ReadRegistry
from application.models.registry.models.entries import ModelDraft
from domain.models.registry.errors import ModelInUseError, ModelNameTakenError
from domain.models.registry.model import ModelState
from domain.models.served_model import ModelKind
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import PRICES, an_actor
from tests.registry_builders import a_route
from tests.unit.application.models.registry_desk import RegistryDesk, a_draft

LARGE = ModelDraft(name="large", provider="acme")
SMALL = ModelDraft(name="small", provider="acme")
ROUTE = a_route("small")


@pytest.fixture
def desk() -> RegistryDesk:
    return RegistryDesk()


async def test_what_is_wanted_becomes_true_once(desk: RegistryDesk) -> None:
    route = a_route("large", "filed")

    first = await desk.apply(LARGE, routes=(route,))
    again = await desk.apply(LARGE, routes=(route,))

    assert first == ["created provider acme", "created model large", "created route any"]
    assert again == []
    assert desk.actions == ["provider.created", "model.created", "route.created"]
    assert desk.live.caught_up == [an_actor().team_id] * 2


async def test_a_dry_run_says_the_same_and_keeps_nothing(desk: RegistryDesk) -> None:
    told = await desk.apply(LARGE, dry_run=True)

    assert told == ["created provider acme", "created model large"]
    assert (desk.kept.providers, desk.kept.models, desk.actions) == ({}, {}, [])
    assert desk.live.caught_up == []


async def test_what_differs_is_told_by_its_fields_and_secrets_by_their_name(
    desk: RegistryDesk,
) -> None:
    await desk.apply(LARGE, routes=(a_route("large"),))
    bigger = ModelDraft(name="large", provider="acme", context_length=5, aliases=("big",))

    told = await desk.apply(
        bigger,
        providers=(a_draft(api_key="another", timeouts={"total": 1}),),
        routes=(a_route("large", hedge_after_ms=5),),
    )

    assert told == [
        "changed provider acme (configuration.timeouts.total, credentials)",
        "changed model large (aliases, context_length)",
        "changed route any (hedge_after_ms)",
    ]
    (provider,) = desk.kept.providers.values()
    assert b"another"[::-1] in (provider.sealed or b"")


async def test_what_is_not_wanted_stays_unless_it_is_pruned(desk: RegistryDesk) -> None:
    other = a_draft()
    await desk.apply(LARGE, SMALL, routes=(a_route("small"),), providers=(other,))

    kept = await desk.apply(LARGE)
    pruned = await desk.apply(LARGE, prune=True)

    assert kept == []
    assert pruned == ["removed route any", "removed model small"]


async def test_what_was_called_is_archived_with_its_provider(desk: RegistryDesk) -> None:
    await desk.apply(LARGE, SMALL)
    desk.kept.called.add("large")

    pruned = await desk.apply(providers=(), prune=True)
    restored = await desk.apply(LARGE)

    assert pruned == ["archived model large", "removed model small"]
    assert restored == ["changed model large (state)"]
    assert [model.state for model in desk.kept.models.values()] == [ModelState.ENABLED]


async def test_a_provider_that_nobody_needs_is_pruned(desk: RegistryDesk) -> None:
    await desk.apply(LARGE)

    assert await desk.apply(providers=(), prune=True) == [
        "removed model large",
        "removed provider acme",
    ]


async def test_nothing_is_kept_of_what_fails(desk: RegistryDesk) -> None:
    broken = a_route("nobody")

    with pytest.raises(InvalidError, match="The route 'any'"):
        await desk.apply(LARGE, routes=(broken,))
    with pytest.raises(ModelNameTakenError):
        await desk.apply(LARGE, routes=(a_route("large", name="large"),))

    assert (desk.kept.providers, desk.actions) == ({}, [])


async def test_what_is_wrong_is_told_with_its_line(desk: RegistryDesk) -> None:
    broken = a_route("nobody")

    with pytest.raises(InvalidError, match=r"^line 7: route 'any': "):
        await desk.apply(LARGE, routes=(broken,), lines={("route", "any"): 7})


async def test_a_model_that_a_kept_route_names_is_not_taken_from_it(desk: RegistryDesk) -> None:
    await desk.apply(LARGE, routes=(a_route("large"),))
    moved = ModelDraft(name="large", provider="acme", kind=ModelKind.EMBEDDING)

    with pytest.raises(ModelInUseError, match="is named by the route 'any'"):
        await desk.apply(moved)


async def test_names_go_from_one_to_another_in_any_order(desk: RegistryDesk) -> None:
    named = replace(LARGE, aliases=("best",))
    await desk.apply(named, SMALL, routes=(a_route("small", aliases=("either",)),))

    there = await desk.apply(LARGE, replace(SMALL, aliases=("best", "either")), routes=(ROUTE,))
    back = await desk.apply(named, SMALL, routes=(a_route("small", aliases=("either",)),))

    changes = [f"changed model {name} (aliases)" for name in ("large", "small")]
    assert there == [*changes, "changed route any (aliases)"]
    assert back == there


async def test_a_model_and_a_route_change_names(desk: RegistryDesk) -> None:
    route = a_route("large", name="chat")
    await desk.apply(LARGE, routes=(route,))
    desk.kept.called.add("large")

    told = await desk.apply(
        replace(LARGE, name="chat", upstream_name="large"),
        routes=(a_route("chat", name="large"),),
        prune=True,
    )

    assert told == [
        "removed route chat",
        "archived model large (name)",
        "created model chat",
        "created route large",
    ]
    names = {model.name: model.state for model in desk.kept.models.values()}
    assert names == {"chat": ModelState.ENABLED, "large-archived": ModelState.ARCHIVED}
    [archived] = [one for one in desk.kept.models.values() if one.name == "large-archived"]
    assert archived.former_names == ("large",)


async def test_what_is_archived_already_leaves_its_names_to_others(desk: RegistryDesk) -> None:
    await desk.apply(replace(LARGE, aliases=("best",)), replace(SMALL, name="large-archived"))
    desk.kept.called.update({"large", "large-archived"})
    await desk.apply(prune=True)

    told = await desk.apply(replace(SMALL, aliases=("large",)), prune=True)

    assert told == ["changed model large (name)", "created model small"]
    names = {model.names for model in desk.kept.models.values()}
    assert ("large-archived-2", "best") in names


async def test_an_alias_that_a_kept_route_names_is_not_taken_from_it(desk: RegistryDesk) -> None:
    await desk.apply(replace(LARGE, aliases=("big",)), routes=(a_route("big"),))

    with pytest.raises(ModelInUseError, match="'big' is named by the route 'any'"):
        await desk.apply(LARGE)


async def test_what_is_wrong_is_told_with_its_name(desk: RegistryDesk) -> None:
    metadata = a_draft(base_url="http://169.254.169.254")
    endless = replace(LARGE, context_length=-1)

    with pytest.raises(InvalidError, match=r"The provider 'acme': 'configuration\.base_url' is"):
        await desk.apply(providers=(metadata,))
    with pytest.raises(InvalidError, match="The model 'large': 'context_length' must be"):
        await desk.apply(endless)
    with pytest.raises(InvalidError, match=r"The model 'large': 'options\.speed' is unknown"):
        await desk.apply(replace(LARGE, options={"speed": 1}), dry_run=True)
    with pytest.raises(InvalidError, match="The route 'any': 'hedge_after_ms'"):
        await desk.apply(LARGE, routes=(a_route("large", hedge_after_ms=0),))


async def test_a_model_that_stays_has_to_fit_the_new_type_of_its_provider(
    desk: RegistryDesk,
) -> None:
    quiet = replace(LARGE, options={"quiet": True})
    await desk.apply(quiet)

    with pytest.raises(InvalidError, match="The model 'large': 'options' may be none"):
        await desk.apply(quiet, providers=(replace(a_draft(), type="heavy"),))


async def test_members_do_not_read_the_whole(desk: RegistryDesk) -> None:
    with pytest.raises(ForbiddenError):
        await ReadRegistry(uow=desk.pricing, prices=desk.prices)(an_actor(permissions=frozenset()))

    await desk.apply(LARGE, routes=(a_route("large"),))
    whole = await ReadRegistry(uow=desk.pricing, prices=desk.prices)(an_actor())
    assert [len(part) for part in (whole.providers, whole.models, whole.routes)] == [1, 1, 1]


async def test_prices_are_set_from_now_on_where_they_differ(desk: RegistryDesk) -> None:
    first = await desk.apply(LARGE, prices={"large": PRICES})
    again = await desk.apply(LARGE, prices={"large": PRICES})
    kept = await desk.apply(LARGE)
    desk.clock.advance(1)
    dearer = await desk.apply(LARGE, prices={"large": replace(PRICES, output=Decimal(99))})

    told = "changed model large (prices)"
    assert first == ["created provider acme", "created model large"]
    assert (again, kept, dearer) == ([], [], [told])
    assert desk.actions.count("price.set") == 2
    whole = await ReadRegistry(uow=desk.pricing, prices=desk.prices)(an_actor())
    assert [prices.output for prices in whole.prices.values()] == [Decimal(99)]
