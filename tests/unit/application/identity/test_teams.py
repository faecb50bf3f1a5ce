import pytest

from application.identity.act_as_operator import ActAsOperator
from application.identity.get_team import GetTeam
from application.identity.update_team import UpdateTeamCommand
from application.shared.actor import Actor
from domain.identity.errors import TeamNotFoundError
from domain.identity.permissions import ALL_PERMISSIONS, Permission
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_team, an_actor
from tests.fakes.identity import InMemoryIdentityUnitOfWork
from tests.unit.application.identity.desk import Desk


async def test_shows_the_actors_own_team(desk: Desk) -> None:
    assert await GetTeam(uow=desk.uow)(an_actor()) == a_team()


async def test_a_team_that_is_gone_is_not_there(desk: Desk) -> None:
    with pytest.raises(TeamNotFoundError):
        await GetTeam(uow=desk.uow)(an_actor(team_id=OTHER_TEAM_ID))


async def test_switches_capture_on_and_keeps_the_name(desk: Desk) -> None:
    command = UpdateTeamCommand(actor=an_actor(), capture_content=True)

    team = await desk.update_team(command)

    assert team == a_team(capture_content=True)
    assert desk.database.committed.teams[TEAM_ID] == team


async def test_renames_the_team_and_keeps_capture_off(desk: Desk) -> None:
    command = UpdateTeamCommand(actor=an_actor(), name="Research")

    team = await desk.update_team(command)

    assert team == a_team(name="Research")
    assert desk.database.committed.teams[TEAM_ID] == team


async def test_a_bad_name_changes_nothing(desk: Desk) -> None:
    command = UpdateTeamCommand(actor=an_actor(), name=" ", capture_content=True)

    with pytest.raises(InvalidError):
        await desk.update_team(command)

    assert desk.database.committed.teams[TEAM_ID] == a_team()


async def test_changing_the_team_needs_the_permission(desk: Desk) -> None:
    actor = an_actor(permissions=frozenset(Permission) - {Permission.MANAGE_TEAM})

    with pytest.raises(ForbiddenError):
        await desk.update_team(UpdateTeamCommand(actor=actor, capture_content=True))

    assert not desk.database.committed.teams[TEAM_ID].capture_content


async def test_the_operator_acts_as_the_owner_of_the_first_team(desk: Desk) -> None:
    later = a_team(id=OTHER_TEAM_ID)
    desk.database.committed.teams[later.id] = later

    actor = await ActAsOperator(uow=desk.uow)()

    assert actor == Actor(team_id=TEAM_ID, user_id=USER_ID, permissions=ALL_PERMISSIONS)


async def test_there_is_no_operator_before_the_first_team() -> None:
    with pytest.raises(TeamNotFoundError):
        await ActAsOperator(uow=InMemoryIdentityUnitOfWork())()
