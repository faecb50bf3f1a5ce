from typing import Any

import httpx
import pytest

from domain.models.served_model import ModelKind
from domain.operations.runtime_settings import ENABLE_TOOLS, RUNTIME_SETTINGS
from tests.builders import a_model
from tests.e2e.api.world import World

SETTINGS = "/api/v1/settings"


def by_name(answer: httpx.Response) -> dict[str, Any]:
    groups = answer.raise_for_status().json()["groups"]
    return {setting["name"]: setting for group in groups for setting in group["settings"]}


async def test_all_settings_are_shown_by_group() -> None:
    async with World().client() as client:
        answer = await client.get(SETTINGS)

    assert by_name(answer).keys() == RUNTIME_SETTINGS.keys()
    groups = [group["name"] for group in answer.json()["groups"]]
    assert len(groups) == len(set(groups))


async def test_a_setting_is_shown_with_all_that_a_form_needs() -> None:
    async with World().client() as client:
        answer = await client.get(f"{SETTINGS}/retention_events_days")

    assert answer.json() == {
        "name": "retention_events_days",
        "group": "retention",
        "scope": "server",
        "type": "int",
        "value": 30,
        "is_set": True,
        "source": "default",
        "default": 30,
        "bounds": {
            "minimum": 0,
            "maximum": 36_500,
            "max_length": None,
            "max_items": None,
            "choices": None,
        },
        "expected": "a whole number from 0 to 36500",
        "secret": False,
        "needs_restart": False,
        "variable": "STOA_RETENTION_EVENTS_DAYS",
        "description": "For how many days events are kept at least; 0 is for ever.",
    }


async def test_settings_are_changed_together_and_those_are_answered() -> None:
    world = World(models=(a_model(name="large", kind=ModelKind.CHAT),))
    changes = {"enable_tools": False, "default_chat_model": "large", "retention_calls_days": "90"}
    async with world.client() as client:
        changed = by_name(await client.patch(SETTINGS, json=changes))
        shown = by_name(await client.get(SETTINGS))

    assert {name: one["value"] for name, one in changed.items()} == changes | {
        "retention_calls_days": 90
    }
    assert {one["source"] for one in changed.values()} == {"database"}
    assert {name: shown[name] for name in changed} == changed
    assert not world.identity.settings.runtime.get(ENABLE_TOOLS, world.team.id)


@pytest.mark.parametrize("how", ["patch", "delete"])
async def test_a_setting_goes_back_to_what_lies_beneath(how: str) -> None:
    async with World().client() as client:
        await client.patch(SETTINGS, json={"enable_tools": False})
        if how == "patch":
            answer = await client.patch(SETTINGS, json={"enable_tools": None})
        else:
            answer = await client.delete(f"{SETTINGS}/enable_tools")
        after = (await client.get(f"{SETTINGS}/enable_tools")).json()

    assert answer.status_code == {"patch": 200, "delete": 204}[how]
    assert (after["value"], after["source"]) == (True, "default")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"enable_tools": 1}, ["enable_tools"]),
        ({"enable_tools": False, "retention_calls_days": -1}, ["retention_calls_days"]),
        ({"nonsense": True, "cache_disable_all": "?"}, ["nonsense", "cache_disable_all"]),
        ({"default_chat_model": "unknown"}, ["default_chat_model"]),
        ({"retention_calls_days": 1.5}, ["retention_calls_days"]),
        ({"enable_tools": {}, "oidc_audience": [1]}, ["enable_tools", "oidc_audience"]),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_changes(
    changes: dict[str, object], fields: list[str]
) -> None:
    world = World()
    async with world.client() as client:
        answer = await client.patch(SETTINGS, json=changes)

    assert answer.status_code == 400
    assert answer.json()["code"] == "VALIDATION_ERROR"
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert world.identity.settings.stored == {}


@pytest.mark.parametrize("body", [[], "x", None])
async def test_what_is_no_set_of_values_is_refused(body: object) -> None:
    async with World().client() as client:
        answer = await client.patch(SETTINGS, json=body)

    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_setting_that_is_not_there_is_not_found(method: str) -> None:
    async with World().client() as client:
        answer = await client.request(method, f"{SETTINGS}/nonsense")

    assert (answer.status_code, answer.json()["code"]) == (404, "SETTING_NOT_FOUND")


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (["models.invoke"], [403, 403, 403]),
        (["settings.read"], [200, 403, 403]),
        (["settings.read", "settings.manage"], [200, 200, 403]),
        (["settings.read", "server.manage"], [200, 403, 200]),
    ],
)
async def test_the_scopes_of_a_key_decide(scopes: list[str], expected: list[int]) -> None:
    world = World()
    async with world.client() as owner:
        made = await owner.post("/api/v1/keys", json={"name": "k", "scopes": scopes})
    async with world.client(made.raise_for_status().json()["key"]) as client:
        answers = [
            await client.get(SETTINGS),
            await client.patch(SETTINGS, json={"enable_tools": False}),
            await client.patch(SETTINGS, json={"cache_disable_all": True}),
        ]

    assert [answer.status_code for answer in answers] == expected
