"""What every unit of work has to keep of members, their teams and their keys."""

import asyncio
from dataclasses import replace

import pytest

from application.identity.ports import IdentityUnitOfWork
from application.shared.pagination import PageRequest
from domain.identity.errors import MemberNotFoundError
from domain.identity.membership import Membership
from domain.identity.permissions import Permission, Role
from domain.identity.team import Team
from domain.shared.ids import TeamId, UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_key, a_membership, a_team, a_user
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.stores import IdentityStore

BOB = UserId(uuid7_at(START, 20))
EVE = UserId(uuid7_at(START, 21))


async def test_the_scopes_of_a_key_come_back_as_they_were(uow: IdentityUnitOfWork) -> None:
    key = a_key(scopes=(Permission.INVOKE_MODELS, Permission.READ_AUDIT))
    nothing = a_key(scopes=(), user_id=None)

    async with uow as tx:
        await tx.api_keys.add(key)
        await tx.api_keys.add(nothing)
        await tx.commit()

    async with uow as tx:
        assert await tx.api_keys.get(TEAM_ID, key.id) == key
        assert await tx.api_keys.get(TEAM_ID, nothing.id) == nothing
        await tx.api_keys.save(replace(key, scopes=(Permission.READ_CALLS,)))
        assert (await tx.api_keys.get(TEAM_ID, key.id)).scopes == (Permission.READ_CALLS,)


async def test_the_keys_of_one_member_are_listed(uow: IdentityUnitOfWork) -> None:
    await _has_bob(uow)
    mine, theirs, elsewhere = a_key(user_id=BOB), a_key(), a_key(team_id=OTHER_TEAM_ID)
    async with uow as tx:
        for key in (mine, theirs, elsewhere):
            await tx.api_keys.add(key)
        await tx.commit()

    async with uow as tx:
        page = await tx.api_keys.list(TEAM_ID, PageRequest(), user_id=BOB)

    assert (page.items, page.total) == ((mine,), 1)


async def test_the_live_keys_of_one_member_are_found(uow: IdentityUnitOfWork) -> None:
    await _has_bob(uow)
    old, new = a_key(user_id=BOB), a_key(user_id=BOB)
    async with uow as tx:
        for key in (new, old, a_key(user_id=BOB, revoked_at=START), a_key(user_id=None), a_key()):
            await tx.api_keys.add(key)
        await tx.commit()

    async with uow as tx:
        assert await tx.api_keys.live_of(TEAM_ID, BOB) == (old, new)
        assert await tx.api_keys.live_of(OTHER_TEAM_ID, BOB) == ()


async def test_keys_outlive_the_membership_and_are_nobodys_then(uow: IdentityUnitOfWork) -> None:
    bob = await _has_bob(uow)
    kept, other = a_key(user_id=BOB), a_key()
    async with uow as tx:
        await tx.api_keys.add(kept)
        await tx.api_keys.add(other)
        await tx.commit()

    async with uow as tx:
        await tx.memberships.remove(await tx.memberships.get(bob.team_id, bob.user_id))
        await tx.commit()

    async with uow as tx:
        assert await tx.api_keys.get(TEAM_ID, kept.id) == replace(kept, user_id=None)
        assert await tx.api_keys.get(TEAM_ID, other.id) == other


async def test_nobody_outside_of_the_team_gets_a_key(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        await tx.users.add(a_user(id=BOB))
        with pytest.raises(MemberNotFoundError):
            await tx.api_keys.add(a_key(user_id=BOB))


async def test_teams_are_listed_oldest_first(uow: IdentityUnitOfWork) -> None:
    await _has_bob(uow)
    async with uow as tx:
        first = await tx.teams.list(PageRequest(page_size=1))
        second = await tx.teams.list(PageRequest(page=2, page_size=1))
        of_bob = await tx.teams.list(PageRequest(), user_id=BOB)
        of_nobody = await tx.teams.list(PageRequest(), user_id=EVE)

    acme, other = a_team(), a_team(id=OTHER_TEAM_ID)
    assert (first.items, first.total, second.items) == ((acme,), 2, (other,))
    assert (of_bob.items, of_bob.total) == ((acme,), 1)
    assert (of_nobody.items, of_nobody.total) == ((), 0)


async def test_teams_are_found_by_their_name(uow: IdentityUnitOfWork) -> None:
    third = Team(id=TeamId(uuid7_at(START, 30)), name="Lone", created_at=START)
    async with uow as tx:
        await tx.teams.add(third)
        await tx.commit()

    async with uow as tx:
        assert await tx.teams.named("Lone") == (third,)
        assert [team.id for team in await tx.teams.named("Acme")] == [TEAM_ID, OTHER_TEAM_ID]
        assert await tx.teams.named("acme") == ()


async def test_only_active_people_count_as_owners(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        await tx.users.add(a_user(id=BOB, email="bob@example.com"))
        await tx.users.add(a_user(id=EVE, email="eve@example.com", is_active=False))
        for user_id in (BOB, EVE):
            await tx.memberships.add(a_membership(user_id=user_id, role=Role.OWNER))
        await tx.commit()

    async with uow as tx:
        assert await tx.memberships.count_active_owners(TEAM_ID) == 1
        assert await tx.memberships.count_active_owners(OTHER_TEAM_ID) == 0


async def test_whoever_counts_owners_waits_for_the_one_before(
    uow: IdentityUnitOfWork, identity: IdentityStore
) -> None:
    async with uow as tx:
        for user_id, email in ((BOB, "bob@example.com"), (EVE, "eve@example.com")):
            await tx.users.add(a_user(id=user_id, email=email))
            await tx.memberships.add(a_membership(user_id=user_id, role=Role.OWNER))
        await tx.commit()
    counts: list[int] = []

    async def leave(user_id: UserId) -> None:
        async with identity.unit_of_work() as tx:
            counts.append(await tx.memberships.count_active_owners(TEAM_ID))
            await asyncio.sleep(0.02)
            await tx.memberships.remove(await tx.memberships.get(TEAM_ID, user_id))
            await tx.commit()

    await asyncio.gather(leave(BOB), leave(EVE))

    assert counts == [2, 1]


async def _has_bob(uow: IdentityUnitOfWork) -> Membership:
    membership = a_membership(user_id=BOB, role=Role.MEMBER)
    async with uow as tx:
        await tx.users.add(a_user(id=BOB, email="bob@example.com"))
        await tx.memberships.add(membership)
        await tx.commit()
    return membership
