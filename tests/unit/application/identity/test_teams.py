from dataclasses import replace

import pytest

from application.identity.act_as_operator import ActAsOperator
from application.identity.get_team import GetTeam, GetTeamQuery
from application.identity.team_profile import TeamProfile
from application.identity.update_team import UpdateTeamCommand
from application.shared.actor import Actor
from domain.identity.allowance import Allowance, Subject, SubjectKind
from domain.identity.errors import TeamNotFoundError
from domain.identity.permissions import ALL_PERMISSIONS, Permission
from domain.operations.runtime_settings import CONTENT_CAPTURE
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_team, an_actor
from tests.fakes.clock import START
from tests.fakes.identity import InMemoryIdentityUnitOfWork
from tests.unit.application.identity.desk import Desk

SHOWN = TeamProfile(
    id=TEAM_ID,
    name="Acme",
    capture_content=False,
    created_at=START,
    allowance=Allowance(subject=Subject(SubjectKind.TEAM, TEAM_ID)),
)


@pytest.fixture
def get_team(desk: Desk) -> GetTeam:
    return GetTeam(uow=desk.uow, runtime=desk.database.settings.runtime)


async def test_shows_the_actors_own_team(get_team: GetTeam) -> None:
    assert await get_team(GetTeamQuery(actor=an_actor())) == SHOWN


async def test_a_team_that_is_gone_is_not_there(get_team: GetTeam) -> None:
    with pytest.raises(TeamNotFoundError):
        await get_team(GetTeamQuery(actor=an_actor(team_id=OTHER_TEAM_ID)))


async def test_switches_capture_on_and_keeps_the_name(desk: Desk, get_team: GetTeam) -> None:
    command = UpdateTeamCommand(actor=an_actor(), capture_content=True)

    team = await desk.update_team(command)

    assert (
        team
        == await get_team(GetTeamQuery(actor=an_actor()))
        == replace(SHOWN, capture_content=True)
    )
    assert desk.database.settings.runtime.get(CONTENT_CAPTURE, TEAM_ID)
    assert not desk.database.settings.runtime.get(CONTENT_CAPTURE, OTHER_TEAM_ID)
    (entry,) = desk.database.committed.audit
    assert (entry.before, entry.after) == ({"capture_content": False}, {"capture_content": True})


async def test_renames_the_team_and_keeps_capture_off(desk: Desk) -> None:
    command = UpdateTeamCommand(actor=an_actor(), name="Research")

    team = await desk.update_team(command)

    assert team == replace(SHOWN, name="Research")
    assert desk.database.committed.teams[TEAM_ID] == a_team(name="Research")
    assert not desk.database.settings.stored


async def test_a_bad_name_changes_nothing(desk: Desk) -> None:
    command = UpdateTeamCommand(actor=an_actor(), name=" ", capture_content=True)

    with pytest.raises(InvalidError):
        await desk.update_team(command)

    assert desk.database.committed.teams[TEAM_ID] == a_team()
    assert not desk.database.settings.stored


@pytest.mark.parametrize("missing", [Permission.MANAGE_TEAM, Permission.MANAGE_SETTINGS])
async def test_switching_capture_needs_both_permissions(desk: Desk, missing: Permission) -> None:
    actor = an_actor(permissions=frozenset(Permission) - {missing})

    with pytest.raises(ForbiddenError):
        await desk.update_team(UpdateTeamCommand(actor=actor, capture_content=True))

    assert not desk.database.settings.stored


async def test_renaming_the_team_needs_no_permission_for_settings(desk: Desk) -> None:
    actor = an_actor(permissions=frozenset({Permission.MANAGE_TEAM}))

    team = await desk.update_team(UpdateTeamCommand(actor=actor, name="Research"))

    assert team.name == "Research"


async def test_the_operator_acts_as_the_owner_of_the_first_team(desk: Desk) -> None:
    later = a_team(id=OTHER_TEAM_ID)
    desk.database.committed.teams[later.id] = later

    actor = await ActAsOperator(uow=desk.uow)()

    assert actor == Actor(team_id=TEAM_ID, user_id=USER_ID, permissions=ALL_PERMISSIONS)


async def test_there_is_no_operator_before_the_first_team() -> None:
    with pytest.raises(TeamNotFoundError):
        await ActAsOperator(uow=InMemoryIdentityUnitOfWork())()
