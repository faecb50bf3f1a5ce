"""What every unit of work has to keep of teams and users."""

import asyncio

import pytest

from application.identity.ports import IdentityUnitOfWork
from domain.identity.errors import TeamNotFoundError
from domain.identity.permissions import Role
from domain.identity.team import Team
from domain.shared.ids import TeamId, UserId
from tests.builders import TEAM_ID, USER_ID, a_membership, a_team, a_user
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.stores import IdentityStore

UNKNOWN = uuid7_at(START, 999)


async def test_a_team_comes_back_as_it_was(uow: IdentityUnitOfWork) -> None:
    team = await _team(uow)
    team.rename("Æther")

    async with uow as tx:
        await tx.teams.save(team)
        await tx.commit()

    assert await _team(uow) == team == a_team(name="Æther")


async def test_changing_a_team_without_saving_changes_nothing(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        team = await tx.teams.get(TEAM_ID)
        team.rename("Changed")
        await tx.commit()

    assert (await _team(uow)).name == "Acme"


async def test_an_unknown_team_is_not_found(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        with pytest.raises(TeamNotFoundError):
            await tx.teams.get(TeamId(UNKNOWN))
        with pytest.raises(TeamNotFoundError):
            await tx.teams.save(a_team(id=TeamId(UNKNOWN)))
        with pytest.raises(TeamNotFoundError):
            await tx.users.owner_of(TeamId(UNKNOWN))


async def test_a_fresh_database_has_no_first_team(identity: IdentityStore) -> None:
    async with identity.unit_of_work() as tx:
        assert await tx.teams.first() is None


async def test_the_first_team_is_the_oldest(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        first = await tx.teams.first()

    assert first == a_team()


async def test_two_servers_that_start_at_once_make_one_team(identity: IdentityStore) -> None:
    async def found(number: int) -> None:
        async with identity.unit_of_work() as tx:
            if await tx.teams.first() is None:
                await asyncio.sleep(0.01)
                await tx.teams.add(a_team(id=TeamId(uuid7_at(START, number))))
                await tx.commit()

    await asyncio.gather(found(10), found(11))

    async with identity.unit_of_work() as tx:
        teams = [await _exists(tx, TeamId(uuid7_at(START, number))) for number in (10, 11)]
    assert sorted(teams) == [False, True]


async def test_the_owner_is_the_oldest_of_the_owners(uow: IdentityUnitOfWork) -> None:
    newer, older = UserId(uuid7_at(START, 50)), UserId(uuid7_at(START, 0))
    async with uow as tx:
        await tx.users.add(a_user(id=newer))
        await tx.users.add(a_user(id=older))
        await tx.memberships.add(a_membership(user_id=newer))
        await tx.memberships.add(a_membership(user_id=older, role=Role.MEMBER))
        await tx.commit()

    async with uow as tx:
        owner = await tx.users.owner_of(TEAM_ID)

    assert owner == a_user(id=USER_ID)


async def _team(uow: IdentityUnitOfWork) -> Team:
    async with uow as tx:
        return await tx.teams.get(TEAM_ID)


async def _exists(tx: IdentityUnitOfWork, team_id: TeamId) -> bool:
    try:
        await tx.teams.get(team_id)
    except TeamNotFoundError:
        return False
    return True
