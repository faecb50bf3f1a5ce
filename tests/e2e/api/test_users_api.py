from typing import Any

import httpx
import pytest

from domain.identity.permissions import Role
from domain.identity.team import Team
from domain.shared.ids import TeamId
from tests.e2e.api.world import World

USERS = "/api/v1/users"
PASSWORD = "correct horse battery"


def as_(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_user_is_made_with_a_link_to_set_a_password() -> None:
    world = World()
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        made = await client.post(
            USERS,
            json={
                "email": "New@Stoics.example",
                "display_name": "Newton",
                "role": "editor",
                "limits": {"rpm": 5},
                "budget": {"amount": "2.50", "period": "day"},
            },
        )
        shown = await client.get(f"{USERS}/{made.json()['id']}")

    body = made.json()
    reset = body.pop("password_reset")
    assert made.status_code == 201
    assert reset["link"] == f"http://stoa.test/reset-password#token={reset['token']}"
    assert shown.json() == body
    assert body == {
        "id": body["id"],
        "email": "new@stoics.example",
        "display_name": "Newton",
        "avatar_colour": "#64748b",
        "locale": "en",
        "role": "editor",
        "is_active": True,
        "is_operator": False,
        "external_subject": None,
        "last_login_at": None,
        "created_at": "2026-11-21T12:00:00Z",
        "limits": {"rpm": 5, "tpm": None, "concurrency": None},
        "budget": {"amount": "2.5", "period": "day", "hard": True},
    }


async def test_a_user_with_a_password_needs_no_link() -> None:
    world = World()
    async with world.client() as client:
        made = await client.post(
            USERS, json={"email": "n@stoics.example", "display_name": "N", "password": PASSWORD}
        )

    assert made.json()["password_reset"] is None
    assert PASSWORD not in made.text


async def test_users_are_listed_in_pages() -> None:
    world = World()
    world.person("ada", Role.ADMIN)
    async with world.client(world.person("vi", Role.VIEWER)) as client:
        first = (await client.get(USERS, params={"page_size": 2})).json()
        second = (await client.get(USERS, params={"page_size": 2, "page": 2})).json()

    assert [item["display_name"] for item in first["items"]] == ["Zeno", "Ada"]
    assert [item["display_name"] for item in second["items"]] == ["Vi"]
    assert {(page["total"], page["total_pages"]) for page in (first, second)} == {(3, 2)}


async def test_only_what_is_given_changes() -> None:
    world = World()
    world.person("mem", Role.MEMBER)
    url = f"{USERS}/{world.id_of('mem')}"
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        before = (await client.get(url)).json()
        named = (await client.patch(url, json={"display_name": "Memnon"})).json()
        limited = (await client.patch(url, json={"limits": {"tpm": 100}})).json()
        free = (await client.patch(url, json={"limits": None})).json()

    assert named == before | {"display_name": "Memnon"}
    assert limited["limits"] == {"rpm": None, "tpm": 100, "concurrency": None}
    assert free == named


async def test_a_deactivated_user_is_shut_out_at_once() -> None:
    world = World()
    token = world.person("mem", Role.MEMBER)
    url = f"{USERS}/{world.id_of('mem')}"
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        key = (await client.post("/api/v1/keys", json={"name": "k"}, headers=as_(token))).json()
        closed = await client.patch(url, json={"is_active": False})
        by_session = await client.get(USERS, headers=as_(token))
        by_key = await client.get(USERS, headers=as_(key["key"]))
        opened = await client.patch(url, json={"is_active": True})
        by_old_session = await client.get(USERS, headers=as_(token))

    assert (closed.json()["is_active"], opened.json()["is_active"]) == (False, True)
    assert [a.status_code for a in (by_session, by_key, by_old_session)] == [401] * 3


async def test_the_keys_of_a_deactivated_user_may_be_kept() -> None:
    world = World()
    token = world.person("mem", Role.MEMBER)
    url = f"{USERS}/{world.id_of('mem')}"
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        key = (await client.post("/api/v1/keys", json={"name": "k"}, headers=as_(token))).json()
        await client.patch(url, json={"is_active": False, "keep_keys": True})
        by_key = await client.get(USERS, headers=as_(key["key"]))

    assert by_key.status_code == 200


async def test_a_link_is_made_for_whoever_has_lost_the_password() -> None:
    world = World()
    world.person("mem", Role.MEMBER)
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        made = await client.post(f"{USERS}/{world.id_of('mem')}/password_reset")

    assert made.status_code == 201
    assert set(made.json()) == {"token", "link", "expires_at"}
    assert len(world.identity.committed.password_resets) == 1


async def test_the_admin_of_another_team_finds_nobody() -> None:
    world = World()
    world.person("mem", Role.MEMBER)
    others = Team(id=TeamId(world.ids.new()), name="Others", created_at=world.clock.now())
    world.identity.committed.teams[others.id] = others
    url = f"{USERS}/{world.id_of('mem')}"
    async with world.client(world.person("eve", Role.OWNER, team=others)) as client:
        answers = [
            await client.get(url),
            await client.patch(url, json={"display_name": "x"}),
            await client.patch(url, json={"limits": {"rpm": 1}}),
            await client.post(f"{url}/password_reset"),
            await client.get(f"{USERS}/no-id"),
        ]
        listed = await client.get(USERS)

    assert [answer.status_code for answer in answers] == [404] * 5
    assert {answer.json()["code"] for answer in answers} == {"USER_NOT_FOUND"}
    assert [item["display_name"] for item in listed.json()["items"]] == ["Eve"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"display_name": "N"}, "email"),
        ({"email": "canary", "display_name": "N"}, "email"),
        ({"email": "n@a.example"}, "display_name"),
        ({"email": "n@a.example", "display_name": "N", "role": "canary"}, "role"),
        ({"email": "n@a.example", "display_name": "N", "password": "canary"}, "password"),
        ({"email": "n@a.example", "display_name": "N", "limits": {"rpm": 0}}, "limits.rpm"),
        ({"email": "n@a.example", "display_name": "N", "canary": 1}, "canary"),
    ],
)
async def test_a_wrong_member_is_named(body: dict[str, Any], field: str) -> None:
    world = World()
    async with world.client() as client:
        answer = await client.post(USERS, json=body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "canary" not in answer.text.replace(field, "")


async def test_an_address_in_use_is_a_conflict() -> None:
    world = World()
    world.person("mem", Role.MEMBER)
    async with world.client() as client:
        answer = await client.post(
            USERS, json={"email": "mem@stoics.example", "display_name": "Mem"}
        )

    assert (answer.status_code, answer.json()["code"]) == (409, "EMAIL_TAKEN")


async def test_members_and_keys_without_scopes_make_nobody() -> None:
    world = World()
    body = {"email": "n@stoics.example", "display_name": "N"}
    async with world.client() as client:
        bare = (await client.post("/api/v1/keys", json={"name": "b", "scopes": []})).json()
        answers: list[httpx.Response] = [
            await client.post(USERS, json=body, headers=as_(token))
            for token in (world.person("mem", Role.MEMBER), bare["key"])
        ]
        unseen = await client.get(USERS, headers=as_(bare["key"]))

    assert [answer.status_code for answer in (*answers, unseen)] == [403] * 3


async def test_an_admin_makes_no_owner_and_no_operator() -> None:
    world = World()
    body = {"email": "n@stoics.example", "display_name": "N"}
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        owner = await client.post(USERS, json=body | {"role": "owner"})
        operator = await client.post(USERS, json=body | {"is_operator": True})

    assert (owner.status_code, owner.json()["code"]) == (403, "ROLE_EXCEEDED")
    assert operator.status_code == 403
