"""Secrets and addresses of providers, and who may set them."""

from dataclasses import replace
from typing import Any

import pytest

from application.models.registry.models.entries import ModelDraft
from application.operations.ports import Sealed
from domain.models.registry.model import ModelState
from domain.models.registry.provider import Provider
from domain.operations.errors import SecretUnreadableError
from domain.operations.model_settings import ALLOW_PRIVATE_PROVIDERS
from domain.shared.errors import ForbiddenError, InvalidError
from tests.fakes.secret_box import ReversibleSecretBox
from tests.unit.application.models.registry_desk import ADMIN, RegistryDesk

PRIVATE = "http://10.0.0.7"


@pytest.fixture
def desk() -> RegistryDesk:
    return RegistryDesk()


def secret_of(desk: RegistryDesk, provider: Provider) -> str:
    assert provider.sealed is not None
    return desk.secrets.open(Sealed(provider.sealed), place=provider.place)


async def test_a_secret_is_sealed_in_the_place_of_its_provider(desk: RegistryDesk) -> None:
    provider = await desk.provider()

    assert secret_of(desk, provider) == '{"api_key": "k"}'
    assert provider.credentials == ("api_key",)
    assert "api_key" not in provider.configuration


async def test_what_is_the_same_changes_nothing(desk: RegistryDesk) -> None:
    provider = await desk.provider()

    same = await desk.change(
        provider, configuration_and_secrets={"api_key": "k"}, name="acme", is_enabled=True
    )

    assert same == provider
    assert desk.actions == ["provider.created"]


async def test_a_secret_stays_where_it_is_not_given(desk: RegistryDesk) -> None:
    provider = await desk.provider()

    changed = await desk.change(provider, configuration_and_secrets={"timeouts": {"total": 1}})

    assert changed.sealed == provider.sealed
    assert changed.configuration["timeouts"] == {"total": 1}


@pytest.mark.parametrize("base_url", ["https://other.example", "https://acme.example/else"])
async def test_who_sends_secrets_elsewhere_gives_them_again(
    desk: RegistryDesk, base_url: str
) -> None:
    provider = await desk.provider()

    with pytest.raises(InvalidError) as error:
        await desk.change(provider, configuration_and_secrets={"base_url": base_url})
    again = await desk.change(
        provider, configuration_and_secrets={"base_url": base_url, "api_key": "k2"}
    )

    assert error.value.param == "credentials.api_key"
    assert secret_of(desk, again) == '{"api_key": "k2"}'


async def test_secrets_that_cannot_be_read_are_replaced_only_all_together(
    desk: RegistryDesk,
) -> None:
    provider = await desk.provider()
    desk.secrets = ReversibleSecretBox("another key")

    with pytest.raises(SecretUnreadableError):
        await desk.change(provider, configuration_and_secrets={"timeouts": {}})
    renamed = await desk.change(provider, name="renamed")
    mended = await desk.change(renamed, configuration_and_secrets={"api_key": "new"})

    assert secret_of(desk, mended) == '{"api_key": "new"}'


async def test_admins_stay_out_of_the_servers_network(desk: RegistryDesk) -> None:
    with pytest.raises(InvalidError, match="inside the network of the server"):
        await desk.provider(ADMIN, base_url=PRIVATE)

    desk.settings.set(ALLOW_PRIVATE_PROVIDERS, True)
    provider = await desk.provider(ADMIN, base_url=PRIVATE)

    assert not provider.may_reach_private


async def test_what_an_operator_set_an_admin_may_use_but_not_move(desk: RegistryDesk) -> None:
    provider = await desk.provider(base_url=PRIVATE)
    both: dict[str, Any] = {"base_url": "http://10.0.0.8", "api_key": "k"}

    kept = await desk.change(provider, ADMIN, configuration_and_secrets={"api_key": "k2"})
    with pytest.raises(InvalidError):
        await desk.change(kept, ADMIN, configuration_and_secrets=both)
    away = await desk.change(
        kept, ADMIN, configuration_and_secrets=both | {"base_url": "https://other.example"}
    )

    assert provider.may_reach_private
    assert kept.may_reach_private
    assert not away.may_reach_private


async def test_files_of_the_server_are_its_managers_matter(desk: RegistryDesk) -> None:
    provider = await desk.provider(ca_file="/a.pem")

    with pytest.raises(ForbiddenError, match="'ca_file'"):
        await desk.change(provider, ADMIN, configuration_and_secrets={"ca_file": "/b.pem"})
    kept = await desk.change(provider, ADMIN, is_enabled=False)

    assert not kept.is_enabled


async def test_metadata_is_nobodys(desk: RegistryDesk) -> None:
    with pytest.raises(InvalidError, match="keeps the credentials"):
        await desk.provider(base_url="http://169.254.169.254")


async def test_another_port_of_a_private_host_is_another_place(desk: RegistryDesk) -> None:
    provider = await desk.provider(base_url="http://vllm.internal:8000/v1")
    moved: dict[str, Any] = {"base_url": "http://vllm.internal:22/v1", "api_key": "k"}

    changed = await desk.change(provider, ADMIN, configuration_and_secrets=moved)

    assert not changed.may_reach_private


async def test_a_file_of_the_server_is_not_looked_for_on_an_admins_behalf(
    desk: RegistryDesk,
) -> None:
    with pytest.raises(ForbiddenError, match="'ca_file'"):
        await desk.provider(ADMIN, ca_file="/etc/nothing-there.pem", unknown=1)


async def test_a_configuration_that_cannot_be_read_any_more_can_be_mended(
    desk: RegistryDesk,
) -> None:
    provider = await desk.provider()
    broken = replace(provider, configuration=provider.configuration | {"gone": 1})
    desk.kept.providers[provider.id] = broken

    mended = await desk.change(broken, configuration_and_secrets={"gone": None, "api_key": "k"})

    assert mended.configuration == provider.configuration


async def test_the_type_of_a_provider_has_to_fit_its_models(desk: RegistryDesk) -> None:
    provider = await desk.provider()
    await desk.model(ModelDraft(name="large", provider="acme", options={"quiet": True}))

    with pytest.raises(InvalidError) as refused:
        await desk.change(provider, type="heavy", configuration_and_secrets={"api_key": "k"})

    assert refused.value.param == "type"
    assert "the model 'large': 'options' may be none" in refused.value.message
    assert (await desk.change(provider, name="other")).name == "other"


async def test_models_that_fit_any_type_or_are_archived_keep_no_provider_from_another(
    desk: RegistryDesk,
) -> None:
    provider = await desk.provider()
    await desk.model(ModelDraft(name="plain", provider="acme"))
    archived = ModelState.ARCHIVED
    await desk.model(
        ModelDraft(name="old", provider="acme", options={"quiet": True}, state=archived)
    )

    changed = await desk.change(provider, type="heavy", configuration_and_secrets={"api_key": "k"})

    assert changed.type == "heavy"


async def test_a_model_is_saved_only_as_its_provider_can_serve_it(desk: RegistryDesk) -> None:
    await desk.provider()

    with pytest.raises(InvalidError) as refused:
        await desk.model(ModelDraft(name="large", provider="acme", options={"speed": 1}))

    assert refused.value.param == "options.speed"
