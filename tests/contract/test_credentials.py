"""What every look-up of credentials, and every record of their use, has to keep."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from application.identity.ports import Credential
from domain.identity.allowance import (
    Allowance,
    BudgetPeriod,
    BudgetTerms,
    Limits,
    Subject,
    SubjectKind,
)
from domain.identity.api_key import ApiKey, hash_secret
from tests.builders import TEAM_ID, a_key, a_membership, a_team, a_user
from tests.fakes.clock import START
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.stores import IdentityStore


@pytest.fixture
async def key(identity: IdentityStore) -> ApiKey:
    """A key of a team, known to the database."""
    key = a_key()
    async with identity.unit_of_work() as tx:
        await tx.teams.add(a_team())
        await tx.users.add(a_user())
        await tx.memberships.add(a_membership())
        await tx.api_keys.add(key)
        await tx.commit()
    return key


async def test_finds_a_key_by_the_hash_of_its_secret(identity: IdentityStore, key: ApiKey) -> None:
    found = [await identity.credentials.find(key.secret_hash) for _ in range(2)]

    assert found == [Credential(key=key)] * 2


@pytest.mark.usefixtures("key")
async def test_does_not_find_what_is_not_there(identity: IdentityStore) -> None:
    found = [await identity.credentials.find(hash_secret("sk-stoa-none")) for _ in range(2)]

    assert found == [None, None]


@pytest.mark.usefixtures("key")
async def test_a_key_that_was_not_there_is_found_at_once(identity: IdentityStore) -> None:
    new = a_key()
    assert await identity.credentials.find(new.secret_hash) is None

    async with identity.unit_of_work() as tx:
        await tx.api_keys.add(new)
        await tx.commit()

    await _at_once(lambda: _is(identity, new.secret_hash, Credential(key=new)))


async def test_a_change_of_the_key_is_seen_at_once(identity: IdentityStore, key: ApiKey) -> None:
    await identity.credentials.find(key.secret_hash)
    revoked = replace(key, revoked_at=START)

    async with identity.unit_of_work() as tx:
        await tx.api_keys.save(revoked)
        await tx.commit()

    await _at_once(lambda: _is(identity, key.secret_hash, Credential(key=revoked)))


async def test_the_use_of_a_key_is_written_when_flushed(
    identity: IdentityStore, key: ApiKey
) -> None:
    identity.activity.touch(key, START + timedelta(seconds=5))
    identity.activity.touch(key, START + timedelta(seconds=3))
    before = await _stored(identity, key)

    await identity.activity.flush()

    assert before.last_used_at is None
    assert (await _stored(identity, key)).last_used_at == START + timedelta(seconds=5)


async def test_an_earlier_use_does_not_replace_a_later_one(
    identity: IdentityStore, key: ApiKey
) -> None:
    identity.activity.touch(key, START + timedelta(seconds=5))
    await identity.activity.flush()

    identity.activity.touch(key, START)
    await identity.activity.flush()
    await identity.activity.flush()

    assert (await _stored(identity, key)).last_used_at == START + timedelta(seconds=5)


async def test_the_use_of_a_key_that_is_gone_is_no_error(
    identity: IdentityStore, key: ApiKey
) -> None:
    identity.activity.touch(a_key(), START)
    identity.activity.touch(key, START)

    await identity.activity.flush()

    assert (await _stored(identity, key)).last_used_at == START


async def test_finds_what_bounds_the_key_and_hears_of_its_changes(
    identity: IdentityStore, key: ApiKey
) -> None:
    assert await identity.credentials.find(key.secret_hash) == Credential(key=key)
    terms = BudgetTerms(amount=Decimal("0.5"), period=BudgetPeriod.DAY)
    own, team = Subject(SubjectKind.KEY, key.id), Subject(SubjectKind.TEAM, TEAM_ID)

    async with identity.unit_of_work() as tx:
        await tx.allowances.set_budget(TEAM_ID, own, terms, at=START)
        await tx.allowances.set_limits(TEAM_ID, own, Limits(rpm=3))
        await tx.allowances.set_limits(TEAM_ID, team, Limits(tpm=9))
        await tx.commit()

    expected = Credential(
        key=key,
        allowances=(
            Allowance(subject=team, limits=Limits(tpm=9)),
            Allowance(subject=own, limits=Limits(rpm=3), budget=terms),
        ),
    )
    await _at_once(lambda: _is(identity, key.secret_hash, expected))


async def _stored(identity: IdentityStore, key: ApiKey) -> ApiKey:
    async with identity.unit_of_work() as tx:
        return await tx.api_keys.get(TEAM_ID, key.id)


async def _is(identity: IdentityStore, secret_hash: bytes, expected: Credential) -> bool:
    return await identity.credentials.find(secret_hash) == expected


async def _at_once(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.001)
