"""Providers, models and routes over the API."""

from typing import Any

import httpx
import pytest

from application.models.registry.ports import Offer
from domain.identity.permissions import Role
from domain.inference.errors import ProviderCredentialsError
from domain.models.served_model import ModelKind
from tests.e2e.api.world import World

PROVIDERS, MODELS, ROUTES = "/api/v1/providers", "/api/v1/models", "/api/v1/routes"
SECRET = "canary-of-the-provider"
ACME: Any = {
    "name": "acme",
    "type": "acme",
    "configuration": {"base_url": "https://acme.example/v1"},
    "credentials": {"api_key": SECRET},
}


async def made(client: httpx.AsyncClient, url: str, body: Any) -> Any:
    answer = await client.post(url, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def a_model(client: httpx.AsyncClient, **members: Any) -> Any:
    return await made(client, MODELS, {"name": "large", "provider": "acme"} | members)


async def test_a_provider_is_set_up_and_its_secrets_are_never_shown() -> None:
    world = World()
    async with world.client() as client:
        provider = await made(client, PROVIDERS, ACME)
        shown = await client.get(f"{PROVIDERS}/{provider['id']}")
        listed = await client.get(PROVIDERS)
        audit = await client.get("/api/v1/audit_logs")

    assert provider == {
        "id": provider["id"],
        "name": "acme",
        "type": "acme",
        "configuration": {"base_url": "https://acme.example/v1"},
        "credentials": {"api_key": "[MASKED]"},
        "enabled": True,
        "problem": None,
        "created_at": "2026-11-21T12:00:00Z",
        "updated_at": "2026-11-21T12:00:00Z",
    }
    assert shown.json() == provider
    assert listed.json()["items"] == [provider]
    assert audit.json()["items"][0]["action"] == "provider.created"
    assert SECRET not in audit.text
    stored = repr(world.registry.committed.providers)
    assert SECRET not in stored


async def test_credentials_are_replaced_without_being_known() -> None:
    world = World()
    async with world.client() as client:
        url = f"{PROVIDERS}/{(await made(client, PROVIDERS, ACME))['id']}"
        replaced = await client.patch(url, json={"credentials": {"api_key": "another"}})
        again = await client.patch(url, json={"credentials": {"api_key": "another"}})
        moved = await client.patch(
            url, json={"configuration": {"base_url": "https://evil.example"}}
        )
        both = await client.patch(
            url,
            json={
                "configuration": {"base_url": "https://other.example"},
                "credentials": {"api_key": "third"},
            },
        )
        taken = await client.patch(url, json={"credentials": {"api_key": None}})
        audit = (await client.get("/api/v1/audit_logs")).json()["items"]

    assert replaced.status_code == again.status_code == both.status_code == 200
    assert moved.status_code == 400
    assert moved.json()["errors"][0]["field"] == "credentials.api_key"
    assert both.json()["configuration"] == {"base_url": "https://other.example"}
    assert taken.json()["credentials"] == {}
    assert [one["action"] for one in audit] == ["provider.updated"] * 3 + ["provider.created"]
    assert audit[2]["after"] == {"credentials": "[MASKED]"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "with space"}, "name"),
        ({"type": "unknown"}, "type"),
        ({"configuration": {"speed": 1}}, "configuration.speed"),
        ({"configuration": {"base_url": "http://169.254.169.254/"}}, "configuration.base_url"),
        ({"surprise": 1}, "surprise"),
        ({"name": None}, "name"),
    ],
)
async def test_what_is_wrong_with_a_provider_is_named(change: Any, field: str) -> None:
    world = World()
    async with world.client() as client:
        answer = await client.post(PROVIDERS, json=ACME | change)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_admin_reaches_no_private_address_unless_the_server_lets_teams() -> None:
    world = World()
    private = ACME | {"configuration": {"base_url": "http://10.0.0.7:8000/v1"}}
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        refused = await client.post(PROVIDERS, json=private)
        file = await client.post(PROVIDERS, json=ACME | {"configuration": {"ca_file": "/a.pem"}})
        async with world.client() as operator:
            setting = {"allow_private_providers": True}
            assert (await operator.patch("/api/v1/settings", json=setting)).is_success
        allowed = await client.post(PROVIDERS, json=private)

    assert refused.status_code == 400
    assert "inside the network of the server" in refused.json()["detail"]
    assert file.status_code == 403
    assert allowed.status_code == 201


async def test_members_see_models_but_no_providers() -> None:
    world = World()
    async with world.client() as client:
        await made(client, PROVIDERS, ACME)
        model = await a_model(client)
    async with world.client(world.person("mo", Role.MEMBER)) as client:
        providers = await client.get(PROVIDERS)
        models = await client.get(MODELS)
        change = await client.patch(f"{MODELS}/{model['id']}", json={"name": "mine"})

    assert providers.status_code == 403
    assert models.json()["items"] == [model]
    assert change.status_code == 403


async def test_a_provider_with_models_stays() -> None:
    world = World()
    async with world.client() as client:
        provider = await made(client, PROVIDERS, ACME)
        model = await a_model(client)
        refused = await client.delete(f"{PROVIDERS}/{provider['id']}")
        await client.delete(f"{MODELS}/{model['id']}")
        removed = await client.delete(f"{PROVIDERS}/{provider['id']}")
        gone = await client.get(f"{PROVIDERS}/{provider['id']}")

    assert (refused.status_code, refused.json()["code"]) == (409, "PROVIDER_IN_USE")
    assert removed.status_code == 204
    assert gone.status_code == 404


async def test_a_connection_is_tested() -> None:
    world = World()
    world.offers.offers = (Offer(name="large-2", kind=ModelKind.CHAT, context_length=10),)
    async with world.client() as client:
        url = f"{PROVIDERS}/{(await made(client, PROVIDERS, ACME))['id']}"
        good = await client.post(f"{url}/test-connection")
        offers = await client.get(f"{url}/offers")
        world.offers.failing = ProviderCredentialsError("It does not let us in.")
        bad = await client.post(f"{url}/test-connection")
        failed = await client.get(f"{url}/offers")

    assert good.json() == {
        "reachable": True,
        "latency_ms": good.json()["latency_ms"],
        "models": 1,
        "problem": None,
    }
    assert offers.json() == {"items": [{"name": "large-2", "kind": "chat", "context_length": 10}]}
    assert bad.json()["reachable"] is False
    assert bad.json()["problem"] == {
        "code": "PROVIDER_CREDENTIALS",
        "message": "It does not let us in.",
    }
    assert failed.status_code == 502


async def test_a_model_is_set_up_changed_archived_and_restored() -> None:
    world = World()
    async with world.client() as client:
        await made(client, PROVIDERS, ACME)
        model = await a_model(
            client, aliases=["big"], capabilities=["tools"], limits={"rpm": 5}, context_length=100
        )
        url = f"{MODELS}/{model['id']}"
        changed = await client.patch(url, json={"upstream_name": "large-3", "limits": None})
        archived = await client.post(f"{url}/archive")
        refused = await client.patch(url, json={"upstream_name": "large-4"})
        restored = await client.post(f"{url}/restore")
        audit = (await client.get("/api/v1/audit_logs")).json()["items"]

    assert model["upstream_name"] == "large"
    assert model["limits"] == {"rpm": 5, "tpm": None, "concurrency": None}
    assert changed.json() == model | {
        "upstream_name": "large-3",
        "limits": None,
        "updated_at": changed.json()["updated_at"],
    }
    assert archived.json()["state"] == "archived"
    assert (refused.status_code, refused.json()["code"]) == (409, "MODEL_ARCHIVED")
    assert restored.json()["state"] == "enabled"
    assert [one["action"] for one in audit[:3]] == [
        "model.restored",
        "model.archived",
        "model.updated",
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"name": "auto"}, "name"),
        ({"aliases": ["large"]}, "aliases"),
        ({"provider": "nobody"}, "provider"),
        ({"context_length": 0}, "context_length"),
        ({"limits": {"rpm": -1}}, "limits.rpm"),
        ({"kind": "song"}, "kind"),
        ({"options": {"a": "\0"}}, "options"),
        ({"options": {"speed": 1}}, "options.speed"),
        ({"kind": "embedding", "capabilities": ["tools"]}, "capabilities"),
        ({"upstream_name": ""}, None),
    ],
)
async def test_what_is_wrong_with_a_model_is_named(change: Any, field: str | None) -> None:
    world = World()
    async with world.client() as client:
        await made(client, PROVIDERS, ACME)
        answer = await client.post(MODELS, json={"name": "large", "provider": "acme"} | change)

    if field is None:
        assert answer.json()["upstream_name"] == "large"
        return
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_model_that_was_called_can_only_be_archived() -> None:
    world = World()
    async with world.client() as client:
        await made(client, PROVIDERS, ACME)
        model = await a_model(client)
        world.registry.committed.called.add("large")
        refused = await client.delete(f"{MODELS}/{model['id']}")

    assert (refused.status_code, refused.json()["code"]) == (409, "MODEL_IN_USE")


async def test_names_are_taken_once() -> None:
    world = World()
    async with world.client() as client:
        await made(client, PROVIDERS, ACME)
        await a_model(client, aliases=["big"])
        model = await client.post(MODELS, json={"name": "big", "provider": "acme"})
        route = await client.post(ROUTES, json={"name": "big", "targets": [{"model": "large"}]})
        provider = await client.post(PROVIDERS, json=ACME)

    assert model.json()["code"] == route.json()["code"] == "MODEL_NAME_TAKEN"
    assert model.status_code == route.status_code == 409
    assert provider.json()["code"] == "PROVIDER_NAME_TAKEN"


async def test_what_is_public_needs_the_server() -> None:
    world = World()
    async with world.client() as client:
        await made(client, PROVIDERS, ACME)
        public = await a_model(client, visibility="public")
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        body = {"name": "mine", "provider": "acme", "visibility": "public"}
        created = await client.post(MODELS, json=body)
        changed = await client.patch(f"{MODELS}/{public['id']}", json={"context_length": 1})
        route = await client.post(
            ROUTES,
            json={"name": "r", "targets": [{"model": "large"}], "visibility": "public"},
        )

    assert [one.status_code for one in (created, changed, route)] == [403, 403, 403]


async def test_lists_are_filtered_sorted_and_in_pages() -> None:
    world = World()
    async with world.client() as client:
        provider = await made(client, PROVIDERS, ACME)
        for name, kind in (("a", "chat"), ("b", "embedding"), ("c", "chat")):
            await a_model(client, name=name, kind=kind)
        chats = await client.get(MODELS, params={"kind": "chat", "sort": "-name"})
        paged = await client.get(MODELS, params={"page": 2, "page_size": 2})
        of_provider = await client.get(MODELS, params={"provider_id": provider["id"]})
        disabled = await client.get(MODELS, params={"state": "disabled"})
        wrong = await client.get(MODELS, params={"sort": "age"})

    assert [one["name"] for one in chats.json()["items"]] == ["c", "a"]
    assert [one["name"] for one in paged.json()["items"]] == ["c"]
    assert (of_provider.json()["total"], disabled.json()["total"]) == (3, 0)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "sort")


async def test_a_route_is_set_up_and_changed() -> None:
    world = World()
    async with world.client() as client:
        await made(client, PROVIDERS, ACME)
        for name in ("large", "small"):
            await a_model(client, name=name)
        body = {"name": "any", "targets": [{"model": "large", "weight": 3}], "fallbacks": ["small"]}
        route = await made(client, ROUTES, body)
        url = f"{ROUTES}/{route['id']}"
        changed = await client.patch(
            url, json={"strategy": "weighted", "cache": {"ttl_s": 5}, "enabled": False}
        )
        uncached = await client.patch(url, json={"cache": None})
        listed = await client.get(ROUTES)
        named = await client.delete(
            f"{MODELS}/{(await client.get(MODELS)).json()['items'][0]['id']}"
        )
        removed = await client.delete(url)

    assert route["targets"] == [{"model": "large", "weight": 3, "priority": 0}]
    assert route["retry"] == {"attempts": 3, "backoff_ms": 200, "max_backoff_ms": 5000}
    assert changed.json()["cache"] == {"ttl_s": 5, "semantic_threshold": None}
    assert changed.json()["strategy"] == "weighted"
    assert changed.json()["enabled"] is False
    assert uncached.json()["cache"] is None
    assert listed.json()["items"] == [uncached.json()]
    assert (named.status_code, named.json()["code"]) == (409, "MODEL_IN_USE")
    assert removed.status_code == 204


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"targets": []}, "targets"),
        ({"targets": [{"model": "nobody"}]}, "targets[0].model"),
        ({"targets": [{"model": "vectors"}]}, "targets[0].model"),
        ({"fallbacks": ["nobody"]}, "fallbacks[0]"),
        ({"fallbacks": ["any"]}, "fallbacks[0]"),
        ({"retry": {"attempts": 0}}, "retry.attempts"),
        ({"timeouts": {"total": 0}}, "timeouts.total"),
        ({"guardrails": {"pii": ["shoe_size"]}}, "guardrails.pii"),
        ({"guardrails": {"output_schema": {"type": "objct"}}}, "guardrails.output_schema"),
        ({"split": {"by": "user", "arms": []}}, "split.arms"),
        ({"strategy": "luck"}, "strategy"),
    ],
)
async def test_what_is_wrong_with_a_route_is_named(change: Any, field: str) -> None:
    world = World()
    async with world.client() as client:
        await made(client, PROVIDERS, ACME)
        await a_model(client)
        await a_model(client, name="vectors", kind="embedding")
        body = {"name": "any", "targets": [{"model": "large"}]} | change
        answer = await client.post(ROUTES, json=body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


async def test_routes_do_not_lead_back() -> None:
    world = World()
    async with world.client() as client:
        await made(client, PROVIDERS, ACME)
        await a_model(client)
        targets = {"targets": [{"model": "large"}]}
        first = await made(client, ROUTES, {"name": "first"} | targets)
        second = await made(client, ROUTES, {"name": "second", "fallbacks": ["first"]} | targets)
        circle = await client.patch(f"{ROUTES}/{first['id']}", json={"fallbacks": ["second"]})
        gone = await client.delete(f"{ROUTES}/{first['id']}")
        renamed = await client.patch(f"{ROUTES}/{first['id']}", json={"name": "third"})
        free = await client.patch(f"{ROUTES}/{second['id']}", json={"fallbacks": []})
        late = await client.delete(f"{ROUTES}/{first['id']}")

    assert circle.status_code == 400
    assert circle.json()["errors"][0]["field"] == "fallbacks[0]"
    assert (gone.status_code, gone.json()["code"]) == (409, "ROUTE_IN_USE")
    assert renamed.status_code == 409
    assert free.is_success
    assert late.status_code == 204


async def test_what_is_not_there_is_not_found() -> None:
    world = World()
    async with world.client() as client:
        answers = [
            await client.get(f"{url}/{some}")
            for url in (PROVIDERS, MODELS, ROUTES)
            for some in ("no-id", "0190b5a0-0000-7000-8000-000000000000")
        ]

    assert {answer.status_code for answer in answers} == {404}
