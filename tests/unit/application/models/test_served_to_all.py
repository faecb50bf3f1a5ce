"""What other teams are served changes who manages the server, wherever it is changed."""

import pytest

from application.models.registry.models.entries import ModelChange, ModelDraft
from domain.models.registry.model import Model, Visibility
from domain.models.route import Route, Target
from domain.models.served_model import ModelKind
from domain.shared.errors import ForbiddenError
from tests.builders import an_actor
from tests.unit.application.models.registry_desk import ADMIN, RegistryDesk


@pytest.fixture
def desk() -> RegistryDesk:
    return RegistryDesk()


def a_route(
    name: str, target: str, *, is_public: bool = True, fallbacks: tuple[str, ...] = ()
) -> Route:
    return Route(
        name=name,
        kind=ModelKind.CHAT,
        targets=(Target(model=target),),
        is_public=is_public,
        fallbacks=fallbacks,
    )


async def a_model(desk: RegistryDesk, visibility: Visibility = Visibility.PRIVATE) -> Model:
    async with desk.uow as tx:
        draft = ModelDraft(name="large", provider="acme", visibility=visibility)
        made = await desk.models.add(tx, an_actor(), draft)
        await tx.commit()
    return made


async def test_the_provider_of_a_public_model_is_no_admins_matter(desk: RegistryDesk) -> None:
    provider = await desk.provider()
    await a_model(desk, Visibility.PUBLIC)
    elsewhere = {"base_url": "https://other.example", "api_key": "mine"}

    with pytest.raises(ForbiddenError, match=r"server\.manage"):
        await desk.change(provider, ADMIN, configuration_and_secrets=elsewhere)
    changed = await desk.change(provider, configuration_and_secrets=elsewhere)

    assert changed.configuration["base_url"] == "https://other.example"


async def test_what_a_public_route_leads_to_is_no_admins_matter(desk: RegistryDesk) -> None:
    provider = await desk.provider()
    model = await a_model(desk)
    async with desk.uow as tx:
        await desk.routes.add(tx, an_actor(), a_route("inner", "large", is_public=False))
        await desk.routes.add(tx, an_actor(), a_route("all", "filed", fallbacks=("inner",)))
        await tx.commit()

    with pytest.raises(ForbiddenError):
        await desk.change(provider, ADMIN, is_enabled=False)
    async with desk.uow as tx:
        with pytest.raises(ForbiddenError):
            await desk.models.change(tx, ADMIN, model, ModelChange(upstream_name="worse"))
        with pytest.raises(ForbiddenError):
            await desk.models.add(tx, ADMIN, ModelDraft(name="filed", provider="acme"))
        with pytest.raises(ForbiddenError):
            await desk.models.remove(tx, ADMIN, model)
        for inner in await tx.routes.all(model.team_id):
            with pytest.raises(ForbiddenError):
                await desk.routes.remove(tx, ADMIN, inner)


async def test_what_only_the_team_is_served_is_its_admins_matter(desk: RegistryDesk) -> None:
    provider = await desk.provider()
    model = await a_model(desk)

    async with desk.uow as tx:
        changed = await desk.models.change(tx, ADMIN, model, ModelChange(upstream_name="other"))
        await desk.routes.add(tx, ADMIN, a_route("inner", "large", is_public=False))
    disabled = await desk.change(provider, ADMIN, is_enabled=False)

    assert (changed.upstream_name, disabled.is_enabled) == ("other", False)
