from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.identities import ProviderIdentities
from adapters.providers.openai.configuration import OpenAIProviderDefinition
from application.models.registry.ports import ProviderFollower, ProviderInUse
from domain.models.registry.provider import Provider
from domain.shared.ids import ProviderId, TeamId
from tests.builders import TEAM_ID, a_model
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at

HTTP = HttpConfiguration(base_url="https://one.example", api_key="k1", headers={"x-a": "1"})
PROVIDER = Provider(
    id=ProviderId(uuid7_at(START, 1)),
    team_id=TEAM_ID,
    name="acme",
    type="openai",
    configuration={"base_url": "https://one.example"},
    sealed=b"sealed",
    created_at=START,
    updated_at=START,
)


class Following(ProviderFollower):
    async def follow(self, registries: Mapping[TeamId, Sequence[ProviderInUse]]) -> None:
        """Nothing runs here."""

    def problem(self, provider_id: ProviderId) -> str | None:
        return "none"


def configured(**changes: Any) -> str:
    definition = OpenAIProviderDefinition(name="acme", http=replace(HTTP, **changes))
    return ProviderIdentities(Following(), [definition]).identity(a_model(provider="acme"))


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "https://two.example"},
        {"api_key": "k2"},
        {"headers": {"x-a": "2"}},
        {"proxy": "http://127.0.0.1:1"},
    ],
)
def test_whatever_may_lead_elsewhere_makes_another(changes: dict[str, Any]) -> None:
    assert configured(**changes) != configured() == configured(max_connections=3)
    assert "k1" not in configured()


@pytest.mark.parametrize(
    "changes",
    [
        {"configuration": {"base_url": "https://two.example"}},
        {"sealed": b"resealed"},
        {"type": "mistral"},
        {"id": ProviderId(uuid7_at(START, 2))},
    ],
)
async def test_providers_of_registries_are_followed(changes: dict[str, Any]) -> None:
    identities = ProviderIdentities(Following())
    model = a_model(provider="acme", owner=TEAM_ID)
    seen = [identities.identity(model)]

    for provider in (PROVIDER, replace(PROVIDER, updated_at=START), replace(PROVIDER, **changes)):
        await identities.follow({TEAM_ID: [ProviderInUse(provider=provider, models=(model,))]})
        seen.append(identities.identity(model))
    await identities.follow({TEAM_ID: []})

    assert seen[0] == identities.identity(model) == ""
    assert seen[1] == seen[2] != seen[3]
    assert identities.problem(PROVIDER.id) == "none"
