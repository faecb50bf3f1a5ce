from datetime import timedelta

import pytest

from domain.identity.api_key import SECRET_PREFIX, ApiKey
from domain.shared.ids import KeyId, TeamId
from tests.e2e.api.doubles import NOON
from tests.e2e.api.world import SECRET, World

KEYS = "/api/v1/keys"


async def test_a_new_key_shows_its_secret_once() -> None:
    world = World()
    async with world.client() as client:
        made = await client.post(KEYS, json={"name": "ci", "allowed_models": ["gpt-*"]})
        shown = await client.get(f"{KEYS}/{made.json()['id']}")

    body = made.json()
    assert made.status_code == 201
    assert body.pop("key").startswith(SECRET_PREFIX)
    assert body == {
        "id": body["id"],
        "name": "ci",
        "masked_key": "sk-stoa-…0001",
        "user_id": str(world.owner.id),
        "allowed_models": ["gpt-*"],
        "scopes": ["models.invoke", "calls.read"],
        "status": "active",
        "created_at": "2026-11-21T12:00:00Z",
        "expires_at": None,
        "last_used_at": None,
        "revoked_at": None,
        "limits": None,
        "budget": None,
    }
    assert shown.json() == body


async def test_a_new_key_opens_the_door() -> None:
    world = World()
    async with world.client() as client:
        key = (await client.post(KEYS, json={"name": "ci"})).json()["key"]
    async with world.client(key) as client:
        answer = await client.get(KEYS)

    assert answer.status_code == 200


async def test_keys_are_listed_newest_first_in_pages() -> None:
    world = World()
    async with world.client() as client:
        for name in ("a", "b", "c"):
            await client.post(KEYS, json={"name": name})
        answer = await client.get(KEYS, params={"page": 2, "page_size": 3})
        first = await client.get(KEYS, params={"page_size": 3})

    body = answer.json()
    assert [item["name"] for item in first.json()["items"]] == ["c", "b", "a"]
    assert [item["name"] for item in body.pop("items")] == ["first key"]
    assert body == {"total": 4, "page": 2, "page_size": 3, "total_pages": 2}
    assert "key" not in first.json()["items"][0]


async def test_only_what_is_given_changes() -> None:
    world = World()
    expiry = "2026-12-24T12:00:00Z"
    async with world.client() as client:
        made = (await client.post(KEYS, json={"name": "ci", "expires_at": expiry})).json()
        url = f"{KEYS}/{made['id']}"
        renamed = (await client.patch(url, json={"name": "build"})).json()
        endless = (await client.patch(url, json={"expires_at": None})).json()

    assert (renamed["name"], renamed["expires_at"]) == ("build", expiry)
    assert (endless["name"], endless["expires_at"]) == ("build", None)


async def test_a_key_past_its_expiry_is_shown_as_expired() -> None:
    world = World()
    expiry = (NOON + timedelta(hours=1)).isoformat()
    async with world.client() as client:
        made = (await client.post(KEYS, json={"name": "ci", "expires_at": expiry})).json()
        world.clock.advance(hours=2)
        shown = await client.get(f"{KEYS}/{made['id']}")

    assert shown.json()["status"] == "expired"


async def test_a_revoked_key_is_refused_and_stays_in_the_list() -> None:
    world = World()
    async with world.client() as client:
        made = (await client.post(KEYS, json={"name": "ci"})).json()
        revoked = await client.delete(f"{KEYS}/{made['id']}")
        again = await client.delete(f"{KEYS}/{made['id']}")
        changed = await client.patch(f"{KEYS}/{made['id']}", json={"name": "x"})
        shown = await client.get(f"{KEYS}/{made['id']}")
    async with world.client(made["key"]) as client:
        refused = await client.get(KEYS)

    assert (revoked.status_code, again.status_code) == (204, 204)
    assert revoked.content == b""
    assert changed.json()["code"] == "KEY_REVOKED"
    assert shown.json()["status"] == "revoked"
    assert refused.status_code == 401


async def test_a_name_in_use_is_a_conflict() -> None:
    async with World().client() as client:
        answer = await client.post(KEYS, json={"name": "first key"})

    assert answer.status_code == 409
    assert answer.json()["code"] == "KEY_NAME_TAKEN"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "name", "missing"),
        ({"name": 5}, "name", "invalid"),
        ({"name": ""}, "name", "invalid"),
        ({"name": "x", "allowed_models": "canary"}, "allowed_models", "invalid"),
        ({"name": "x", "allowed_models": ["[canary]"]}, "allowed_models", "invalid"),
        ({"name": "x", "expires_at": "canary"}, "expires_at", "invalid"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at", "invalid"),
        ({"name": "x", "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at", "invalid"),
        ({"name": "x", "expires_at": 2_000_000_000}, "expires_at", "invalid"),
        ({"name": "x", "expires_at": "2000000000"}, "expires_at", "invalid"),
        ({"name": "x\x00canary"}, "name", "invalid"),
        ({"name": "x", "allowed_models": ["a", 5]}, "allowed_models[1]", "invalid"),
        ({"name": "x", "nmae": "canary"}, "nmae", "unknown"),
    ],
)
async def test_a_wrong_member_is_named(body: object, field: str, code: str) -> None:
    async with World().client() as client:
        answer = await client.post(KEYS, json=body)

    problem = answer.json()
    assert answer.status_code == 400
    assert problem["code"] == "VALIDATION_ERROR"
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, code)]
    assert "canary" not in answer.text


async def test_a_key_with_an_allow_list_cannot_make_one_without() -> None:
    async with World().client() as client:
        made = await client.post(KEYS, json={"name": "app", "allowed_models": ["small"]})
        restricted = {"authorization": f"Bearer {made.json()['key']}"}
        answers = [
            await client.post(KEYS, json={"name": "free"}, headers=restricted),
            await client.patch(
                f"{KEYS}/{made.json()['id']}", json={"allowed_models": ["*"]}, headers=restricted
            ),
            await client.patch("/api/v1/team", json={"capture_content": True}, headers=restricted),
        ]
        calls = await client.get("/api/v1/calls", headers=restricted)

    assert [answer.status_code for answer in answers] == [403] * 3
    assert answers[0].json()["code"] == "FORBIDDEN"
    assert calls.status_code == 200


async def test_another_teams_key_and_no_key_look_the_same() -> None:
    world = World()
    foreign = ApiKey.issue(
        id=KeyId(world.ids.new()),
        team_id=TeamId(world.ids.new()),
        user_id=world.key.user_id,
        name="theirs",
        secret=SECRET + "2",
        allowed_models=("*",),
        scopes=(),
        expires_at=None,
        at=NOON,
    )
    world.identity.committed.keys[foreign.id] = foreign
    async with world.client() as client:
        answers = [
            await client.get(f"{KEYS}/{wanted}") for wanted in (foreign.id, world.team.id, "no-id")
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert {answer.json()["code"] for answer in answers} == {"KEY_NOT_FOUND"}
