from domain.identity.permissions import Role
from domain.identity.team import Team
from domain.shared.ids import TeamId
from tests.e2e.api.world import World

MEMBERS = "/api/v1/members"


def as_(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_members_are_listed_with_their_roles() -> None:
    world = World()
    async with world.client(world.person("vi", Role.VIEWER)) as client:
        answer = await client.get(MEMBERS)

    body = answer.json()
    assert answer.status_code == 200
    assert [(item["display_name"], item["role"]) for item in body["items"]] == [
        ("Zeno", "owner"),
        ("Vi", "viewer"),
    ]
    assert body["items"][1] == {
        "user_id": world.id_of("vi"),
        "email": "vi@stoics.example",
        "display_name": "Vi",
        "avatar_colour": "#64748b",
        "is_active": True,
        "role": "viewer",
    }
    assert (body["total"], body["page"], body["total_pages"]) == (2, 1, 1)


async def test_a_new_role_holds_at_once() -> None:
    world = World()
    token = world.person("mem", Role.MEMBER)
    url = f"{MEMBERS}/{world.id_of('mem')}"
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        key = (await client.post("/api/v1/keys", json={"name": "k"}, headers=as_(token))).json()
        changed = await client.patch(url, json={"role": "viewer"})
        refused = await client.post("/api/v1/keys", json={"name": "l"}, headers=as_(token))
        narrowed = await client.get(f"/api/v1/keys/{key['id']}")

    assert (changed.status_code, changed.json()["role"]) == (200, "viewer")
    assert refused.status_code == 403
    assert "keys.own" in key["scopes"]
    assert narrowed.json()["scopes"] == ["calls.read", "team.read", "settings.read"]


async def test_keys_may_keep_their_scopes() -> None:
    world = World()
    token = world.person("mem", Role.MEMBER)
    url = f"{MEMBERS}/{world.id_of('mem')}"
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        key = (await client.post("/api/v1/keys", json={"name": "k"}, headers=as_(token))).json()
        await client.patch(url, json={"role": "viewer", "keep_keys": True})
        kept = await client.get(f"/api/v1/keys/{key['id']}")

    assert kept.json()["scopes"] == key["scopes"]


async def test_a_removed_member_is_out_with_his_keys() -> None:
    world = World()
    token = world.person("mem", Role.MEMBER)
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        key = (await client.post("/api/v1/keys", json={"name": "k"}, headers=as_(token))).json()
        removed = await client.delete(f"{MEMBERS}/{world.id_of('mem')}")
        again = await client.delete(f"{MEMBERS}/{world.id_of('mem')}")
        by_session = await client.get(MEMBERS, headers=as_(token))
        by_key = await client.get(MEMBERS, headers=as_(key["key"]))

    assert (removed.status_code, removed.content) == (204, b"")
    assert (again.status_code, again.json()["code"]) == (404, "MEMBER_NOT_FOUND")
    assert (by_session.status_code, by_key.status_code) == (401, 401)


async def test_the_keys_of_a_removed_member_may_go_on_as_the_teams() -> None:
    world = World()
    token = world.person("mem", Role.MEMBER)
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        key = (await client.post("/api/v1/keys", json={"name": "k"}, headers=as_(token))).json()
        await client.delete(f"{MEMBERS}/{world.id_of('mem')}", params={"keep_keys": "true"})
        by_key = await client.get(MEMBERS, headers=as_(key["key"]))
        shown = await client.get(f"/api/v1/keys/{key['id']}")

    assert by_key.status_code == 200
    assert (shown.json()["status"], shown.json()["user_id"]) == ("active", None)


async def test_everybody_may_leave() -> None:
    world = World()
    async with world.client(world.person("vi", Role.VIEWER)) as client:
        left = await client.delete(f"{MEMBERS}/{world.id_of('vi')}")
        gone = await client.get(MEMBERS)

    assert (left.status_code, gone.status_code) == (204, 401)


async def test_the_last_owner_stays() -> None:
    world = World()
    url = f"{MEMBERS}/{{}}"
    async with world.client(world.person("olga", Role.OWNER)) as client:
        own = url.format(world.id_of("olga"))
        answers = [
            await client.delete(own),
            await client.patch(own, json={"role": "admin"}),
            await client.patch(f"/api/v1/users/{world.id_of('olga')}", json={"is_active": False}),
        ]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(409, "LAST_OWNER")] * 3


async def test_an_admin_touches_no_owner() -> None:
    world = World()
    world.person("olga", Role.OWNER)
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        answers = [
            await client.patch(f"{MEMBERS}/{world.id_of('olga')}", json={"role": "viewer"}),
            await client.delete(f"{MEMBERS}/{world.id_of('olga')}"),
            await client.patch(f"{MEMBERS}/{world.id_of('ada')}", json={"role": "owner"}),
        ]

    assert [answer.status_code for answer in answers] == [403] * 3


async def test_the_admin_of_another_team_finds_no_member() -> None:
    world = World()
    world.person("mem", Role.MEMBER)
    others = Team(id=TeamId(world.ids.new()), name="Others", created_at=world.clock.now())
    world.identity.committed.teams[others.id] = others
    async with world.client(world.person("eve", Role.OWNER, team=others)) as client:
        answers = [
            await client.patch(f"{MEMBERS}/{world.id_of('mem')}", json={"role": "viewer"}),
            await client.delete(f"{MEMBERS}/{world.id_of('mem')}"),
            await client.delete(f"{MEMBERS}/no-id"),
        ]

    assert [answer.status_code for answer in answers] == [404] * 3


async def test_a_role_that_is_none_is_refused() -> None:
    world = World()
    async with world.client() as client:
        answer = await client.patch(f"{MEMBERS}/{world.owner.id}", json={"role": "king"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "role"
