from dataclasses import replace

import pytest

from application.models.get_model import GetModel, GetModelQuery
from application.models.list_models import ListModels
from domain.models.errors import ModelNotFoundError
from tests.builders import a_model, an_actor
from tests.fakes.models import InMemoryModelCatalog
from tests.registry_builders import a_route

LARGE = a_model(name="large", aliases=("default",))
SMALL = a_model(name="small")
CATALOG = InMemoryModelCatalog(LARGE, SMALL)


async def test_lists_all_models_in_the_order_of_the_catalog() -> None:
    assert await ListModels(catalog=CATALOG)(an_actor()) == (LARGE, SMALL)


async def test_lists_only_what_the_actor_may_use() -> None:
    models = await ListModels(catalog=CATALOG)(an_actor(allowed_models=("sm*",)))

    assert models == (SMALL,)


@pytest.mark.parametrize("name", ["large", "default"])
async def test_shows_a_model_by_its_name_or_an_alias(name: str) -> None:
    query = GetModelQuery(actor=an_actor(), name=name)

    assert await GetModel(catalog=CATALOG)(query) == LARGE


async def test_an_unknown_model_is_not_there() -> None:
    with pytest.raises(ModelNotFoundError) as missing:
        await GetModel(catalog=CATALOG)(GetModelQuery(actor=an_actor(), name="nothing"))

    assert missing.value.name == "nothing"


async def test_a_model_that_the_actor_may_not_use_is_not_there() -> None:
    query = GetModelQuery(actor=an_actor(allowed_models=("small",)), name="large")

    with pytest.raises(ModelNotFoundError):
        await GetModel(catalog=CATALOG)(query)


async def test_routes_are_listed_behind_the_models_and_found() -> None:
    route = a_route("large", name="any", aliases=("either",))
    catalog = InMemoryModelCatalog(LARGE, routes=(route,))

    assert await ListModels(catalog=catalog)(an_actor()) == (LARGE, route)
    found = await GetModel(catalog=catalog)(GetModelQuery(actor=an_actor(), name="either"))
    assert found == route


async def test_what_takes_no_calls_is_not_listed() -> None:
    catalog = InMemoryModelCatalog(
        replace(LARGE, is_enabled=False), routes=(a_route("large", is_enabled=False),)
    )

    assert await ListModels(catalog=catalog)(an_actor()) == ()
    with pytest.raises(ModelNotFoundError):
        await GetModel(catalog=catalog)(GetModelQuery(actor=an_actor(), name="large"))
