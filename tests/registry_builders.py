"""Entries of registries with defaults that fit each other."""

from itertools import count
from typing import Any

from domain.models.registry.model import Model
from domain.models.registry.provider import Provider
from domain.models.registry.registered_route import RegisteredRoute
from domain.models.route import Route, Target
from domain.models.served_model import ModelKind
from domain.shared.ids import ModelId, ProviderId, RouteId
from tests.builders import TEAM_ID
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at

_counter = count(3_000_000)


def a_provider(**fields: Any) -> Provider:
    number = next(_counter)
    defaults: dict[str, Any] = {
        "id": ProviderId(uuid7_at(START, number)),
        "team_id": TEAM_ID,
        "name": "acme",
        "type": "acme",
        "configuration": {"base_url": "https://acme.example/v1"},
        "created_at": START,
        "updated_at": START,
    }
    return Provider(**(defaults | fields))


def a_registered_model(provider: Provider, **fields: Any) -> Model:
    number = next(_counter)
    defaults: dict[str, Any] = {
        "id": ModelId(uuid7_at(START, number)),
        "team_id": provider.team_id,
        "name": "large",
        "kind": ModelKind.CHAT,
        "provider_id": provider.id,
        "upstream_name": "large-2",
        "created_at": START,
        "updated_at": START,
    }
    return Model(**(defaults | fields))


def a_route(*models: str, **fields: Any) -> Route:
    defaults: dict[str, Any] = {
        "name": "any",
        "kind": ModelKind.CHAT,
        "targets": tuple(Target(model=model) for model in models or ("large",)),
        "owner": TEAM_ID,
        "is_public": False,
    }
    return Route(**(defaults | fields))


def a_registered_route(*models: str, **fields: Any) -> RegisteredRoute:
    route = a_route(*models, **fields)
    number = next(_counter)
    return RegisteredRoute(
        id=RouteId(uuid7_at(START, number)),
        team_id=route.owner or TEAM_ID,
        route=route,
        created_at=START,
        updated_at=START,
    )
