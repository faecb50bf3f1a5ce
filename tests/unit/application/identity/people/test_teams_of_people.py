from dataclasses import replace
from decimal import Decimal

import pytest

from application.identity.act_as_operator import ActAsOperator
from application.identity.allowance_change import AllowanceChange
from application.identity.create_team import CreateTeam, CreateTeamCommand
from application.identity.find_team import FindTeam, FindTeamQuery
from application.identity.get_team import GetTeam, GetTeamQuery
from application.identity.list_teams import ListTeams, ListTeamsQuery
from application.identity.update_team import UpdateTeam, UpdateTeamCommand
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.identity.allowance import BudgetPeriod, BudgetTerms, Limits
from domain.identity.errors import TeamAmbiguousError, TeamNotFoundError
from domain.identity.permissions import PERMISSIONS_OF, Role
from domain.shared.errors import ForbiddenError, InvalidError
from domain.shared.ids import TeamId, UserId
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, a_team
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.unit.application.identity.people.staff import (
    ADMIN,
    MEMBER,
    OWNER,
    STRANGER,
    VIEWER,
    Staff,
)

OPERATOR = Actor(team_id=TEAM_ID, user_id=OWNER)
PAGE = PageRequest()
UNKNOWN = TeamId(uuid7_at(START, 300))


@pytest.fixture
def create(staff: Staff) -> CreateTeam:
    return CreateTeam(
        uow=staff.uow,
        runtime=staff.database.settings.runtime,
        auditor=staff.auditor,
        clock=staff.clock,
        ids=staff.ids,
    )


@pytest.fixture
def update(staff: Staff) -> UpdateTeam:
    return UpdateTeam(
        uow=staff.uow,
        runtime=staff.database.settings.runtime,
        auditor=staff.auditor,
        clock=staff.clock,
    )


@pytest.fixture
def get(staff: Staff) -> GetTeam:
    return GetTeam(uow=staff.uow, runtime=staff.database.settings.runtime)


async def test_an_operator_makes_a_team_of_his_own(staff: Staff, create: CreateTeam) -> None:
    made = await create(CreateTeamCommand(actor=OPERATOR, name=" Research "))

    team = staff.database.committed.teams[made.id]
    assert (team.name, team.created_at, made.name) == ("Research", START, "Research")
    assert staff.role_of(OWNER, made.id) is Role.OWNER
    (entry,) = staff.database.committed.audit
    assert (entry.team_id, entry.action) == (made.id, "team.created")


async def test_a_team_can_be_made_for_somebody_else(staff: Staff, create: CreateTeam) -> None:
    limits = Limits(rpm=10)

    made = await create(
        CreateTeamCommand(
            actor=OPERATOR,
            name="Research",
            owner_id=STRANGER,
            allowance=AllowanceChange(limits=limits),
        )
    )

    assert staff.role_of(STRANGER, made.id) is Role.OWNER
    assert staff.role_of(OWNER, made.id) is None
    assert made.allowance.limits == limits


async def test_a_team_needs_an_owner_who_can_log_in(staff: Staff, create: CreateTeam) -> None:
    staff.shut_out(MEMBER)
    nobody = replace(OPERATOR, user_id=None)

    for actor, owner_id in (
        (OPERATOR, UserId(UNKNOWN)),
        (OPERATOR, MEMBER),
        (nobody, None),
    ):
        with pytest.raises(InvalidError) as refused:
            await create(CreateTeamCommand(actor=actor, name="x", owner_id=owner_id))
        assert refused.value.param == "owner_id"

    assert len(staff.database.committed.teams) == 2


async def test_only_operators_make_teams(staff: Staff, create: CreateTeam) -> None:
    with pytest.raises(ForbiddenError):
        await create(CreateTeamCommand(actor=staff.actor(OWNER), name="x"))


async def test_a_person_sees_the_teams_that_he_is_in(staff: Staff, get: GetTeam) -> None:
    actor = staff.actor(MEMBER)
    list_teams = ListTeams(uow=staff.uow)
    before = await list_teams(ListTeamsQuery(actor=actor, page=PAGE))
    staff.hire(staff.user(MEMBER), Role.VIEWER, OTHER_TEAM_ID)

    after = await list_teams(ListTeamsQuery(actor=actor, page=PAGE))
    shown = await get(GetTeamQuery(actor=actor, team_id=OTHER_TEAM_ID))

    assert before.items == (a_team(),)
    assert after.items == (a_team(), a_team(id=OTHER_TEAM_ID, name="Others"))
    assert shown.name == "Others"


async def test_a_key_sees_its_own_team_only(staff: Staff, get: GetTeam) -> None:
    staff.hire(staff.user(MEMBER), Role.OWNER, OTHER_TEAM_ID)
    key = Actor(
        team_id=TEAM_ID, user_id=MEMBER, key_id=KEY_ID, permissions=PERMISSIONS_OF[Role.OWNER]
    )

    first = await ListTeams(uow=staff.uow)(ListTeamsQuery(actor=key, page=PAGE))
    second = await ListTeams(uow=staff.uow)(ListTeamsQuery(actor=key, page=PageRequest(page=2)))

    assert (first.items, first.total, second.items) == ((a_team(),), 1, ())
    with pytest.raises(TeamNotFoundError):
        await get(GetTeamQuery(actor=key, team_id=OTHER_TEAM_ID))


async def test_an_operator_sees_all_teams(staff: Staff, get: GetTeam) -> None:
    page = await ListTeams(uow=staff.uow)(ListTeamsQuery(actor=OPERATOR, page=PAGE))

    assert [team.id for team in page.items] == [TEAM_ID, OTHER_TEAM_ID]
    assert (await get(GetTeamQuery(actor=OPERATOR, team_id=OTHER_TEAM_ID))).name == "Others"


async def test_the_team_of_others_is_not_there(
    staff: Staff, get: GetTeam, update: UpdateTeam
) -> None:
    for team_id in (OTHER_TEAM_ID, UNKNOWN):
        with pytest.raises(TeamNotFoundError):
            await get(GetTeamQuery(actor=staff.actor(ADMIN), team_id=team_id))
        with pytest.raises(TeamNotFoundError):
            await update(UpdateTeamCommand(actor=staff.actor(ADMIN), team_id=team_id, name="x"))


async def test_a_team_that_is_nowhere_is_not_there_for_operators(get: GetTeam) -> None:
    with pytest.raises(TeamNotFoundError):
        await get(GetTeamQuery(actor=OPERATOR, team_id=UNKNOWN))


async def test_the_role_in_the_other_team_decides(staff: Staff, update: UpdateTeam) -> None:
    viewer = staff.actor(VIEWER)
    staff.hire(staff.user(VIEWER), Role.ADMIN, OTHER_TEAM_ID)

    await update(UpdateTeamCommand(actor=viewer, team_id=OTHER_TEAM_ID, name="Mine"))
    with pytest.raises(ForbiddenError):
        await update(UpdateTeamCommand(actor=viewer, team_id=TEAM_ID, name="Mine"))

    assert staff.database.committed.teams[OTHER_TEAM_ID].name == "Mine"
    (entry,) = staff.database.committed.audit
    assert (entry.team_id, entry.action) == (OTHER_TEAM_ID, "team.updated")


async def test_what_a_team_may_use_is_changed_and_on_record(
    staff: Staff, update: UpdateTeam
) -> None:
    budget = BudgetTerms(amount=Decimal(3), period=BudgetPeriod.DAY)
    change = AllowanceChange(limits=Limits(rpm=5), budget=budget)

    team = await update(UpdateTeamCommand(actor=staff.actor(ADMIN), allowance=change))

    assert (team.allowance.limits, team.allowance.budget) == (Limits(rpm=5), budget)
    (entry,) = staff.database.committed.audit
    assert entry.before == {"limits": None, "budget": None}


async def test_a_team_is_found_by_its_name_or_id(staff: Staff) -> None:
    find = FindTeam(uow=staff.uow)

    by_name = await find(FindTeamQuery(actor=OPERATOR, reference="Others"))
    by_id = await find(FindTeamQuery(actor=OPERATOR, reference=str(OTHER_TEAM_ID)))

    assert by_name == by_id == a_team(id=OTHER_TEAM_ID, name="Others")
    for reference in ("nothing", str(UNKNOWN)):
        with pytest.raises(TeamNotFoundError):
            await find(FindTeamQuery(actor=OPERATOR, reference=reference))
    with pytest.raises(ForbiddenError):
        await find(FindTeamQuery(actor=staff.actor(OWNER), reference="Others"))


async def test_a_name_that_several_teams_have_finds_none(staff: Staff, create: CreateTeam) -> None:
    await create(CreateTeamCommand(actor=OPERATOR, name="Others"))

    with pytest.raises(TeamAmbiguousError):
        await FindTeam(uow=staff.uow)(FindTeamQuery(actor=OPERATOR, reference="Others"))


async def test_the_operator_acts_in_another_team_as_its_owner(staff: Staff) -> None:
    actor = await ActAsOperator(uow=staff.uow)(OTHER_TEAM_ID)

    assert (actor.team_id, actor.user_id) == (OTHER_TEAM_ID, STRANGER)
    with pytest.raises(TeamNotFoundError):
        await ActAsOperator(uow=staff.uow)(UNKNOWN)
