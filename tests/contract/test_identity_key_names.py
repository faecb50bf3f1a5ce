"""What every unit of work has to keep of the names of keys."""

import asyncio
from dataclasses import replace

import pytest

from application.identity.ports import IdentityUnitOfWork
from domain.identity.errors import KeyNameTakenError
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_key
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.stores import IdentityStore

UNKNOWN = uuid7_at(START, 999)


async def test_refuses_the_name_of_a_live_key(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        await tx.api_keys.add(a_key(name="ci"))
        await tx.commit()

    async with uow as tx:
        with pytest.raises(KeyNameTakenError) as error:
            await tx.api_keys.add(a_key(name="ci"))

    assert "'ci'" in error.value.message


async def test_refuses_to_rename_to_the_name_of_a_live_key(uow: IdentityUnitOfWork) -> None:
    other = a_key(name="other")
    async with uow as tx:
        await tx.api_keys.add(a_key(name="ci"))
        await tx.api_keys.add(other)
        await tx.commit()

    async with uow as tx:
        with pytest.raises(KeyNameTakenError):
            await tx.api_keys.save(replace(other, name="ci"))


async def test_the_name_of_a_revoked_key_is_free(uow: IdentityUnitOfWork) -> None:
    revoked, live = a_key(name="ci", revoked_at=START), a_key(name="ci")
    async with uow as tx:
        await tx.api_keys.add(revoked)
        await tx.api_keys.add(a_key(name="ci", revoked_at=START))
        await tx.api_keys.add(live)
        await tx.commit()

    async with uow as tx:
        assert await tx.api_keys.find_by_name(TEAM_ID, "ci") == live


async def test_teams_may_use_the_same_name(uow: IdentityUnitOfWork) -> None:
    ours, theirs = a_key(name="ci"), a_key(name="ci", team_id=OTHER_TEAM_ID)
    async with uow as tx:
        await tx.api_keys.add(ours)
        await tx.api_keys.add(theirs)
        await tx.commit()

    async with uow as tx:
        assert await tx.api_keys.find_by_name(TEAM_ID, "ci") == ours
        assert await tx.api_keys.find_by_name(OTHER_TEAM_ID, "ci") == theirs
        assert await tx.api_keys.find_by_name(TEAM_ID, "cd") is None


@pytest.mark.usefixtures("uow")
async def test_one_of_two_simultaneous_keys_of_a_name_is_refused(identity: IdentityStore) -> None:
    async def add() -> None:
        async with identity.unit_of_work() as tx:
            await tx.api_keys.add(a_key(name="ci"))
            await asyncio.sleep(0.01)
            await tx.commit()

    results = await asyncio.gather(add(), add(), return_exceptions=True)

    assert len(results) == 2
    assert {type(result) for result in results} == {KeyNameTakenError, type(None)}
