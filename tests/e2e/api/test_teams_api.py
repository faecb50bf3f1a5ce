from domain.identity.permissions import Role
from tests.e2e.api.world import World

TEAMS = "/api/v1/teams"


async def test_an_operator_makes_a_team() -> None:
    world = World()
    world.person("olga", Role.MEMBER)
    async with world.client() as client:
        made = await client.post(
            TEAMS,
            json={"name": "Sceptics", "owner_id": world.id_of("olga"), "limits": {"rpm": 9}},
        )
        shown = await client.get(f"{TEAMS}/{made.json()['id']}")
        listed = await client.get(TEAMS)

    body = made.json()
    assert made.status_code == 201
    assert shown.json() == body
    assert body == {
        "id": body["id"],
        "name": "Sceptics",
        "capture_content": False,
        "created_at": "2026-11-21T12:00:00Z",
        "limits": {"rpm": 9, "tpm": None, "concurrency": None},
        "budget": None,
    }
    assert listed.json()["items"] == [
        {"id": str(world.team.id), "name": "Stoics", "created_at": "2026-11-21T12:00:00Z"},
        {"id": body["id"], "name": "Sceptics", "created_at": "2026-11-21T12:00:00Z"},
    ]


async def test_what_is_given_changes() -> None:
    world = World()
    url = f"{TEAMS}/{world.team.id}"
    async with world.client(world.person("ada", Role.ADMIN)) as client:
        renamed = await client.patch(url, json={"name": "Porch"})
        budget = {"amount": "10", "period": "month", "hard": False}
        given = await client.patch(url, json={"budget": budget})
        taken = await client.patch(url, json={"budget": None, "capture_content": True})

    assert (renamed.status_code, renamed.json()["name"]) == (200, "Porch")
    assert given.json()["budget"] == budget | {"amount": "10"}
    assert taken.json() == renamed.json() | {"capture_content": True}


async def test_a_person_sees_the_own_team_and_no_other() -> None:
    world = World()
    token = world.person("vi", Role.VIEWER)
    async with world.client() as client:
        other = (await client.post(TEAMS, json={"name": "Sceptics"})).json()["id"]
    async with world.client(token) as client:
        listed = await client.get(TEAMS)
        hidden = [
            await client.get(f"{TEAMS}/{other}"),
            await client.patch(f"{TEAMS}/{other}", json={"name": "Mine"}),
            await client.get(f"{TEAMS}/no-id"),
        ]
        refused = [
            await client.patch(f"{TEAMS}/{world.team.id}", json={"name": "Mine"}),
            await client.post(TEAMS, json={"name": "Mine"}),
        ]

    assert [item["name"] for item in listed.json()["items"]] == ["Stoics"]
    assert [answer.status_code for answer in hidden] == [404] * 3
    assert {answer.json()["code"] for answer in hidden} == {"TEAM_NOT_FOUND"}
    assert [answer.status_code for answer in refused] == [403] * 2


async def test_an_owner_who_is_nobody_is_named() -> None:
    world = World()
    async with world.client() as client:
        unknown = await client.post(TEAMS, json={"name": "x", "owner_id": str(world.team.id)})
        nameless = await client.post(TEAMS, json={"name": " "})

    assert unknown.json()["errors"][0]["field"] == "owner_id"
    assert nameless.json()["errors"][0]["field"] == "name"
