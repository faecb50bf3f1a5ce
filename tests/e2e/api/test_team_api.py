import pytest

from tests.e2e.api.world import World

TEAM = "/api/v1/team"


async def test_the_team_is_shown_and_changed() -> None:
    world = World()
    async with world.client() as client:
        before = (await client.get(TEAM)).json()
        changed = await client.patch(TEAM, json={"capture_content": True})
        after = (await client.get(TEAM)).json()

    assert before == {
        "id": str(world.team.id),
        "name": "Stoics",
        "capture_content": False,
        "created_at": "2026-11-21T12:00:00Z",
        "limits": None,
        "budget": None,
    }
    assert changed.status_code == 200
    assert after == before | {"capture_content": True}


async def test_an_empty_name_is_refused() -> None:
    async with World().client() as client:
        answer = await client.patch(TEAM, json={"name": " "})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "name"


@pytest.mark.parametrize("value", ["true", 1, "", None], ids=repr)
async def test_what_is_like_a_boolean_is_none(value: object) -> None:
    world = World()
    async with world.client() as client:
        answer = await client.patch(TEAM, json={"capture_content": value})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "capture_content"
