import pytest

from domain.identity.permissions import Role
from tests.e2e.api.world import World

KEYS = "/api/v1/keys"


async def test_scopes_are_asked_for_and_changed() -> None:
    world = World()
    async with world.client() as client:
        made = await client.post(KEYS, json={"name": "ci", "scopes": ["audit.read", "calls.read"]})
        url = f"{KEYS}/{made.json()['id']}"
        changed = await client.patch(url, json={"scopes": ["models.invoke"]})

    assert made.json()["scopes"] == ["calls.read", "audit.read"]
    assert changed.json()["scopes"] == ["models.invoke"]


async def test_a_key_may_do_what_its_scopes_say() -> None:
    world = World()
    async with world.client() as client:
        body = {"name": "reader", "scopes": ["calls.read"]}
        key = (await client.post(KEYS, json=body)).json()["key"]
    async with world.client(key) as client:
        calls = await client.get("/api/v1/calls")
        refused = [
            await client.get(KEYS),
            await client.get("/api/v1/users"),
            await client.patch("/api/v1/team", json={"name": "x"}),
        ]

    assert calls.status_code == 200
    assert [answer.status_code for answer in refused] == [403] * 3


async def test_nobody_gives_a_scope_that_he_does_not_have() -> None:
    world = World()
    async with world.client(world.person("mem", Role.MEMBER)) as client:
        more = await client.post(KEYS, json={"name": "ci", "scopes": ["keys.manage"]})
        made = await client.post(KEYS, json={"name": "ci"})
        later = await client.patch(
            f"{KEYS}/{made.json()['id']}", json={"scopes": ["team.manage", "models.invoke"]}
        )

    for answer in (more, later):
        assert (answer.status_code, answer.json()["code"]) == (403, "SCOPES_EXCEEDED")
    assert made.json()["scopes"] == [
        "models.invoke",
        "calls.read",
        "team.read",
        "keys.own",
        "settings.read",
    ]


async def test_a_member_has_nothing_to_do_with_the_keys_of_others() -> None:
    world = World()
    async with world.client(world.person("mem", Role.MEMBER)) as client:
        mine = (await client.post(KEYS, json={"name": "mine"})).json()
        listed = await client.get(KEYS)
        foreign = f"{KEYS}/{world.key.id}"
        hidden = [
            await client.get(foreign),
            await client.patch(foreign, json={"name": "x"}),
            await client.delete(foreign),
        ]
        revoked = await client.delete(f"{KEYS}/{mine['id']}")

    assert [item["id"] for item in listed.json()["items"]] == [mine["id"]]
    assert [answer.status_code for answer in hidden] == [404] * 3
    assert revoked.status_code == 204


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["canary"]}, "scopes[0]"),
        ({"scopes": "models.invoke"}, "scopes"),
        ({"scopes": ["keys.manage"], "allowed_models": ["gpt-*"]}, "scopes"),
    ],
)
async def test_wrong_scopes_are_named(body: dict[str, object], field: str) -> None:
    async with World().client() as client:
        answer = await client.post(KEYS, json={"name": "x"} | body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "canary" not in answer.text
