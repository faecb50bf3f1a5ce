from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.identity.allowance import BudgetPeriod, BudgetTerms, Subject, SubjectKind
from domain.identity.permissions import Role
from domain.inference.budget import Hold
from domain.shared.ids import CallId
from tests.e2e.api.doubles import NOON
from tests.e2e.api.world import World

KEYS = "/api/v1/keys"
BUDGET: dict[str, Any] = {"amount": "12.50", "period": "month", "hard": True}
LIMITS = {"rpm": 60, "tpm": None, "concurrency": 4}
TERMS = BudgetTerms(amount=Decimal("12.5"), period=BudgetPeriod.MONTH)


def a_budget_on(world: World, kind: SubjectKind, subject_id: Any) -> str:
    """Sets it, with something held, and returns the path under which it is shown."""
    world.budgets.set(world.team.id, Subject(kind, subject_id), TERMS, NOON)
    hold = Hold(
        call_id=CallId(world.ids.new()),
        team_id=world.team.id,
        user_id=world.owner.id,
        key_id=world.key.id,
        amount=Decimal("0.25"),
        at=NOON,
    )
    world.budgets.take(hold, NOON)
    return f"/api/v1/{kind}s/{subject_id}/budget"


async def test_a_key_is_issued_with_limits_and_a_budget() -> None:
    async with World().client() as client:
        made = await client.post(KEYS, json={"name": "ci", "limits": LIMITS, "budget": BUDGET})
        shown = await client.get(f"{KEYS}/{made.json()['id']}")
        listed = await client.get(KEYS)

    assert made.status_code == 201
    for view in (made.json(), shown.json(), listed.json()["items"][0]):
        assert view["limits"] == LIMITS
        assert view["budget"] == {"amount": "12.5", "period": "month", "hard": True}


async def test_the_limits_and_the_budget_of_a_key_change_one_by_one() -> None:
    world = World()
    path = f"{KEYS}/{world.key.id}"
    async with world.client() as client:
        with_both = await client.patch(path, json={"limits": {"rpm": 5}, "budget": BUDGET})
        renamed = await client.patch(path, json={"name": "renamed"})
        without_limits = await client.patch(path, json={"limits": None})
        without_any = await client.patch(path, json={"budget": None})

    assert with_both.json()["limits"] == {"rpm": 5, "tpm": None, "concurrency": None}
    assert renamed.json()["limits"] == with_both.json()["limits"]
    assert renamed.json()["budget"]["amount"] == "12.5"
    assert without_limits.json()["limits"] is None
    assert without_limits.json()["budget"]["amount"] == "12.5"
    assert without_any.json()["budget"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"budget": {"amount": "-1", "period": "day"}},
        {"budget": {"amount": "1e3", "period": "day"}},
        {"budget": {"amount": 5, "period": "day"}},
        {"budget": {"amount": "0.0000001", "period": "day"}},
        {"budget": {"amount": "9999999999", "period": "day"}},
        {"budget": {"amount": "1", "period": "year"}},
        {"budget": {"amount": "1"}},
        {"limits": {"rpm": 0}},
        {"limits": {"rpd": 1}},
    ],
)
async def test_wrong_limits_and_budgets_are_refused(body: dict[str, Any]) -> None:
    world = World()
    async with world.client() as client:
        answer = await client.patch(f"{KEYS}/{world.key.id}", json=body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(("budget", "limits"))


async def test_a_revoked_key_gets_no_budget() -> None:
    world = World()
    async with world.client() as client:
        made = await client.post(KEYS, json={"name": "gone"})
        path = f"{KEYS}/{made.json()['id']}"
        await client.delete(path)
        answer = await client.patch(path, json={"budget": BUDGET})

    assert (answer.status_code, answer.json()["code"]) == (409, "KEY_REVOKED")


async def test_members_do_not_set_the_budgets_of_their_keys() -> None:
    world = World()
    async with world.client(world.person("mia", Role.MEMBER)) as client:
        made = await client.post(KEYS, json={"name": "own"})
        answer = await client.patch(f"{KEYS}/{made.json()['id']}", json={"budget": BUDGET})

    assert answer.status_code == 403


@pytest.mark.parametrize("kind", list(SubjectKind))
async def test_a_budget_says_what_has_become_of_it(kind: SubjectKind) -> None:
    world = World()
    ids = {
        SubjectKind.TEAM: world.team.id,
        SubjectKind.USER: world.owner.id,
        SubjectKind.KEY: world.key.id,
    }
    path = a_budget_on(world, kind, ids[kind])
    async with world.client() as client:
        answer = await client.get(path)

    assert answer.json() == {
        "amount": "12.5",
        "period": "month",
        "settled": "0",
        "held": "0.25",
        "remaining": "12.25",
        "resets_at": "2026-12-01T00:00:00Z",
    }


async def test_what_has_no_budget_is_not_found() -> None:
    world = World()
    paths = [
        f"/api/v1/teams/{world.team.id}/budget",
        f"/api/v1/teams/{world.owner.id}/budget",
        f"{KEYS}/{world.key.id}/budget",
        f"{KEYS}/nonsense/budget",
    ]
    async with world.client() as client:
        answers = [await client.get(path) for path in paths]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"BUDGET_NOT_FOUND"}


async def test_a_key_without_scopes_sees_the_budgets_that_bound_it_alone() -> None:
    world = World()
    async with world.client() as client:
        made = (await client.post(KEYS, json={"name": "own", "scopes": []})).json()
    own = a_budget_on(world, SubjectKind.KEY, UUID(made["id"]))
    others = a_budget_on(world, SubjectKind.KEY, world.key.id)
    of_team = a_budget_on(world, SubjectKind.TEAM, world.team.id)
    async with world.client(made["key"]) as client:
        answers = [(await client.get(path)).status_code for path in (own, of_team, others)]

    assert answers == [200, 200, 403]
