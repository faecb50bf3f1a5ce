"""What every unit of work over teams, users and keys has to keep."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from application.identity.ports import IdentityUnitOfWork
from application.shared.pagination import PageRequest
from domain.identity.errors import KeyNotFoundError
from domain.shared.ids import KeyId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_key, a_team
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.stores import IdentityStore

UNKNOWN = uuid7_at(START, 999)


async def test_a_key_comes_back_as_it_was(uow: IdentityUnitOfWork) -> None:
    key = a_key(
        name="ключ 🔑",
        allowed_models=("gpt-*", "", "a,b"),
        expires_at=START + timedelta(days=1, microseconds=7),
        last_used_at=START + timedelta(seconds=1),
        revoked_at=START + timedelta(seconds=2),
    )

    async with uow as tx:
        await tx.api_keys.add(key)
        await tx.commit()

    async with uow as tx:
        assert await tx.api_keys.get(TEAM_ID, key.id) == key


async def test_a_new_key_comes_back_as_it_was(uow: IdentityUnitOfWork) -> None:
    key = a_key(allowed_models=())

    async with uow as tx:
        await tx.api_keys.add(key)
        await tx.commit()

    async with uow as tx:
        assert await tx.api_keys.get(TEAM_ID, key.id) == key
        assert await tx.api_keys.find_by_name(TEAM_ID, key.name) == key


async def test_sees_its_own_writes(uow: IdentityUnitOfWork) -> None:
    key = a_key()

    async with uow as tx:
        await tx.api_keys.add(key)
        found = await tx.api_keys.get(TEAM_ID, key.id)

    assert found == key


async def test_what_is_not_committed_is_gone(uow: IdentityUnitOfWork) -> None:
    key = a_key()

    async with uow as tx:
        await tx.api_keys.add(key)

    async with uow as tx:
        with pytest.raises(KeyNotFoundError):
            await tx.api_keys.get(TEAM_ID, key.id)


async def test_an_error_undoes_everything(uow: IdentityUnitOfWork) -> None:
    async def fail() -> None:
        async with uow as tx:
            await tx.teams.save(a_team(name="After"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with uow as tx:
        assert (await tx.teams.get(TEAM_ID)).name == "Acme"


async def test_others_see_nothing_before_the_commit(
    uow: IdentityUnitOfWork, identity: IdentityStore
) -> None:
    key = a_key()

    async with uow as tx, identity.unit_of_work() as other:
        await tx.api_keys.add(key)
        before = await other.api_keys.find_by_name(TEAM_ID, key.name)
        await tx.commit()
        after = await other.api_keys.find_by_name(TEAM_ID, key.name)

    assert before is None
    assert after == key


async def test_refuses_to_be_entered_twice(uow: IdentityUnitOfWork) -> None:
    async with uow:
        with pytest.raises(RuntimeError):
            await uow.__aenter__()


async def test_has_nothing_to_offer_outside_of_the_block(uow: IdentityUnitOfWork) -> None:
    with pytest.raises(RuntimeError):
        _ = uow.api_keys


async def test_changing_a_key_without_saving_changes_nothing(uow: IdentityUnitOfWork) -> None:
    key = a_key(name="before")
    async with uow as tx:
        await tx.api_keys.add(key)
        await tx.commit()

    async with uow as tx:
        found = await tx.api_keys.get(TEAM_ID, key.id)
        found.rename("after")
        listed = (await tx.api_keys.list(TEAM_ID, PageRequest())).items[0]
        listed.rename("later")
        key.rename("much later")
        await tx.commit()

    async with uow as tx:
        assert (await tx.api_keys.get(TEAM_ID, key.id)).name == "before"


async def test_saving_stores_every_change(uow: IdentityUnitOfWork) -> None:
    key = a_key()
    async with uow as tx:
        await tx.api_keys.add(key)
        await tx.commit()
    changed = replace(
        key,
        name="renamed",
        allowed_models=("a",),
        expires_at=START + timedelta(days=1),
        last_used_at=START,
        revoked_at=START,
    )

    async with uow as tx:
        await tx.api_keys.get(TEAM_ID, key.id)
        await tx.api_keys.save(changed)
        seen_within = await tx.api_keys.get(TEAM_ID, key.id)
        await tx.commit()

    async with uow as tx:
        assert await tx.api_keys.get(TEAM_ID, key.id) == changed == seen_within


async def test_an_unknown_key_is_not_found(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        with pytest.raises(KeyNotFoundError):
            await tx.api_keys.get(TEAM_ID, KeyId(UNKNOWN))
        with pytest.raises(KeyNotFoundError):
            await tx.api_keys.save(a_key())


async def test_the_key_of_another_team_is_not_found(uow: IdentityUnitOfWork) -> None:
    key = a_key(team_id=OTHER_TEAM_ID)
    async with uow as tx:
        await tx.api_keys.add(key)
        await tx.commit()

    async with uow as tx:
        with pytest.raises(KeyNotFoundError):
            await tx.api_keys.get(TEAM_ID, key.id)
        with pytest.raises(KeyNotFoundError):
            await tx.api_keys.save(replace(key, team_id=TEAM_ID))


async def test_lists_keys_newest_first_page_by_page(uow: IdentityUnitOfWork) -> None:
    keys = [a_key() for _ in range(5)]
    keys[1].revoke(START)
    async with uow as tx:
        for key in (keys[3], keys[0], keys[4], keys[2], keys[1]):
            await tx.api_keys.add(key)
        await tx.api_keys.add(a_key(team_id=OTHER_TEAM_ID))
        await tx.commit()

    async with uow as tx:
        pages = [
            await tx.api_keys.list(TEAM_ID, PageRequest(page=number, page_size=2))
            for number in (1, 2, 3, 4)
        ]

    assert [key for page in pages for key in page.items] == keys[::-1]
    assert [len(page.items) for page in pages] == [2, 2, 1, 0]
    assert {(page.total, page.total_pages, page.page_size) for page in pages} == {(5, 3, 2)}
    assert [page.page for page in pages] == [1, 2, 3, 4]


async def test_a_key_is_locked_until_the_end(
    uow: IdentityUnitOfWork, identity: IdentityStore
) -> None:
    key = a_key(name="1")
    async with uow as tx:
        await tx.api_keys.add(key)
        await tx.commit()

    async def append(digit: str) -> None:
        async with identity.unit_of_work() as tx:
            found = await tx.api_keys.get(TEAM_ID, key.id)
            await asyncio.sleep(0.01)
            found.rename(found.name + digit)
            await tx.api_keys.save(found)
            await tx.commit()

    await asyncio.gather(*(append(digit) for digit in "234"))

    async with uow as tx:
        assert sorted((await tx.api_keys.get(TEAM_ID, key.id)).name) == list("1234")
