from typing import Any

import pytest

from application.models.registry.finding import find_model, find_provider, find_route
from application.models.registry.models.delete_model import DeleteModel, DeleteModelCommand
from application.models.registry.models.entries import ModelChange, ModelDraft
from application.models.registry.models.get_registered_model import (
    GetRegisteredModel,
    GetRegisteredModelQuery,
)
from application.models.registry.models.update_model import UpdateModel, UpdateModelCommand
from domain.models.registry.errors import (
    ModelInUseError,
    ModelNotRegisteredError,
    ProviderNotFoundError,
    RouteNotFoundError,
)
from domain.models.served_model import ModelKind
from domain.operations.model_settings import DEFAULT_CHAT_MODEL
from domain.shared.errors import ForbiddenError
from tests.builders import TEAM_ID, an_actor
from tests.fakes.registry import InMemoryRegistryUnitOfWork
from tests.registry_builders import a_provider, a_registered_model, a_registered_route
from tests.unit.application.models.registry_desk import ADMIN, RegistryDesk

PROVIDER = a_provider()
MODEL = a_registered_model(PROVIDER, aliases=("big",))
ROUTE = a_registered_route("large", aliases=("either",))


async def a_store() -> InMemoryRegistryUnitOfWork:
    uow = InMemoryRegistryUnitOfWork()
    async with uow as tx:
        await tx.providers.add(PROVIDER)
        await tx.models.add(MODEL)
        await tx.routes.add(ROUTE)
        await tx.commit()
    return uow


async def test_everything_is_found_by_id_by_name_and_by_alias() -> None:
    async with await a_store() as tx:
        assert await find_provider(tx, TEAM_ID, PROVIDER.id) == PROVIDER
        for which in (str(PROVIDER.id), "acme"):
            assert await find_provider(tx, TEAM_ID, which) == PROVIDER
        for which in (str(MODEL.id), "large", "big"):
            assert await find_model(tx, TEAM_ID, which) == MODEL
        for which in (str(ROUTE.id), "any", "either"):
            assert await find_route(tx, TEAM_ID, which) == ROUTE


async def test_what_is_not_there_is_told() -> None:
    async with await a_store() as tx:
        with pytest.raises(ProviderNotFoundError):
            await find_provider(tx, TEAM_ID, "nobody")
        with pytest.raises(ModelNotRegisteredError):
            await find_model(tx, TEAM_ID, "nobody")
        with pytest.raises(RouteNotFoundError):
            await find_route(tx, TEAM_ID, "nobody")


async def test_a_model_is_shown_to_whoever_may_see_the_team() -> None:
    use_case = GetRegisteredModel(uow=await a_store())

    shown = await use_case(GetRegisteredModelQuery(actor=an_actor(), which="big"))

    assert (shown.model, shown.provider) == (MODEL, "acme")
    stranger = an_actor(permissions=frozenset())
    with pytest.raises(ForbiddenError):
        await use_case(GetRegisteredModelQuery(actor=stranger, which="big"))


async def test_models_of_the_server_itself_are_its_managers_matter() -> None:
    desk = RegistryDesk()
    heavy = a_provider(type="heavy")
    async with desk.uow as tx:
        await tx.providers.add(heavy)
        await tx.commit()
    model = a_registered_model(heavy)

    async with desk.uow as tx:
        await tx.models.add(model)
        for which in (heavy.id, "acme"):
            with pytest.raises(ForbiddenError):
                await desk.models._provider(tx, ADMIN, which)
        assert await desk.models._provider(tx, an_actor(), "acme") == heavy


async def test_a_renamed_model_that_was_called_stays() -> None:
    desk = RegistryDesk()
    await desk.provider()
    async with desk.uow as tx:
        made = await desk.models.add(tx, an_actor(), ModelDraft(name="old", provider="acme"))
        desk.kept.called.add("old")
        renamed = await desk.models.change(tx, an_actor(), made, ModelChange(name="new"))
        back = await desk.models.change(tx, an_actor(), renamed, ModelChange(name="old"))

        with pytest.raises(ModelInUseError):
            await desk.models.remove(tx, an_actor(), renamed)

    assert (renamed.former_names, back.former_names) == (("old",), ("new",))


@pytest.mark.parametrize(
    "change", [{"name": "new"}, {"kind": ModelKind.EMBEDDING}, {"aliases": ()}], ids=str
)
async def test_the_name_of_a_default_is_not_taken_from_its_model(change: dict[str, Any]) -> None:
    desk = RegistryDesk()
    await desk.provider()
    default = "nick" if "aliases" in change else "large"
    async with desk.uow as tx:
        draft = ModelDraft(name="large", provider="acme", aliases=("nick",))
        model = await desk.models.add(tx, an_actor(), draft)
        await tx.commit()
    desk.settings.set(DEFAULT_CHAT_MODEL, default, TEAM_ID)
    update = UpdateModel(uow=desk.uow, entries=desk.models, live=desk.live)
    delete = DeleteModel(uow=desk.uow, entries=desk.models, live=desk.live)

    with pytest.raises(ModelInUseError, match="what the setting 'default_chat_model' names"):
        await update(
            UpdateModelCommand(actor=an_actor(), which=model.id, change=ModelChange(**change))
        )
    with pytest.raises(ModelInUseError):
        await delete(DeleteModelCommand(actor=an_actor(), which=model.id))
    desk.settings.reset(DEFAULT_CHAT_MODEL, TEAM_ID)
    await delete(DeleteModelCommand(actor=an_actor(), which=model.id))

    assert not desk.kept.models
