"""What every unit of work has to keep of people and their places in teams."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from application.identity.ports import IdentityUnitOfWork
from application.shared.pagination import PageRequest
from domain.identity.errors import (
    AlreadyMemberError,
    EmailTakenError,
    ExternalIdentityTakenError,
    MemberNotFoundError,
    UserNotFoundError,
)
from domain.identity.membership import Member
from domain.identity.permissions import Role
from domain.identity.user import User
from domain.shared.ids import UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_membership, a_session, a_user
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.stores import IdentityStore

UNKNOWN = UserId(uuid7_at(START, 999))
BEN = UserId(uuid7_at(START, 60))
CAT = UserId(uuid7_at(START, 61))


def a_full_user(**fields: object) -> User:
    defaults: dict[str, object] = {
        "id": BEN,
        "email": "ben@example.com",
        "display_name": "Бен 🦉",
        "avatar_colour": "#abcdef",
        "locale": "de-AT",
        "is_active": False,
        "is_operator": True,
        "password_hash": "hash",
        "external_issuer": "https://id.example.com",
        "external_subject": "s" * 255,
        "last_login_at": START + timedelta(microseconds=7),
    }
    return a_user(**(defaults | fields))


async def test_a_user_comes_back_as_it_was(uow: IdentityUnitOfWork) -> None:
    user = a_full_user()
    async with uow as tx:
        await tx.users.add(user)
        await tx.commit()

    async with uow as tx:
        found = [
            await tx.users.get(BEN),
            await tx.users.find_by_email("ben@example.com"),
            await tx.users.find_by_external("https://id.example.com", "s" * 255),
        ]

    assert found == [user] * 3


async def test_saving_a_user_stores_every_change(uow: IdentityUnitOfWork) -> None:
    changed = a_full_user(id=USER_ID)

    async with uow as tx:
        await tx.users.save(changed)
        await tx.commit()

    async with uow as tx:
        assert await tx.users.get(USER_ID) == changed


async def test_changing_a_user_without_saving_changes_nothing(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        user = await tx.users.get(USER_ID)
        user.rename("Changed")
        await tx.commit()

    async with uow as tx:
        assert await tx.users.get(USER_ID) == a_user()


async def test_an_unknown_user_is_not_found(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        with pytest.raises(UserNotFoundError):
            await tx.users.get(UNKNOWN)
        with pytest.raises(UserNotFoundError):
            await tx.users.save(a_user(id=UNKNOWN))
        assert await tx.users.find_by_email("ben@example.com") is None
        assert await tx.users.find_by_external("https://id.example.com", "ben") is None


async def test_an_email_address_has_one_user(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        await tx.users.add(a_user(id=BEN, email="ben@example.com"))
        await tx.commit()

    async with uow as tx:
        with pytest.raises(EmailTakenError):
            await tx.users.add(a_user(id=CAT, email="ben@example.com"))
    async with uow as tx:
        with pytest.raises(EmailTakenError):
            await tx.users.save(a_user(email="ben@example.com"))


async def test_an_external_identity_has_one_user(uow: IdentityUnitOfWork) -> None:
    identity = {"external_issuer": "https://id.example.com", "external_subject": "ben"}
    async with uow as tx:
        await tx.users.add(a_user(id=BEN, **identity))
        await tx.commit()

    async with uow as tx:
        with pytest.raises(ExternalIdentityTakenError):
            await tx.users.add(a_user(id=CAT, **identity))
    async with uow as tx:
        await tx.users.add(a_user(id=CAT, **identity | {"external_issuer": "https://other"}))


async def test_of_two_who_take_an_address_at_once_one_gets_it(identity: IdentityStore) -> None:
    async def take(user_id: UserId) -> None:
        async with identity.unit_of_work() as tx:
            await tx.users.add(a_user(id=user_id, email="ben@example.com"))
            await asyncio.sleep(0.01)
            await tx.commit()

    results = await asyncio.gather(take(BEN), take(CAT), return_exceptions=True)

    assert [type(result) for result in results if result is not None] == [EmailTakenError]


async def test_a_membership_comes_back_as_it_was(uow: IdentityUnitOfWork) -> None:
    member = a_membership(user_id=BEN, role=Role.VIEWER)
    async with uow as tx:
        await tx.users.add(a_user(id=BEN))
        await tx.memberships.add(member)
        await tx.memberships.save(replace(member, role=Role.EDITOR))
        await tx.commit()

    async with uow as tx:
        found = await tx.memberships.get(TEAM_ID, BEN)
        who = await tx.memberships.find_member(TEAM_ID, BEN)

    assert found == replace(member, role=Role.EDITOR)
    assert who == Member(user=a_user(id=BEN), role=Role.EDITOR)


async def test_nobody_joins_a_team_twice(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        with pytest.raises(AlreadyMemberError):
            await tx.memberships.add(a_membership(role=Role.VIEWER))


async def test_who_is_no_member_is_not_found(uow: IdentityUnitOfWork) -> None:
    nobody = a_membership(user_id=UNKNOWN)
    async with uow as tx:
        with pytest.raises(MemberNotFoundError):
            await tx.memberships.get(TEAM_ID, UNKNOWN)
        with pytest.raises(MemberNotFoundError):
            await tx.memberships.find_member(TEAM_ID, UNKNOWN)
        with pytest.raises(MemberNotFoundError):
            await tx.memberships.save(nobody)
        with pytest.raises(MemberNotFoundError):
            await tx.memberships.remove(nobody)
        assert await tx.memberships.of_user(UNKNOWN) == ()


async def test_whoever_leaves_a_team_has_no_place_and_no_session_in_it(
    uow: IdentityUnitOfWork, identity: IdentityStore
) -> None:
    ended, kept = a_session(), a_session(team_id=OTHER_TEAM_ID)
    async with uow as tx:
        await tx.sessions.add(ended)
        await tx.sessions.add(kept)
        await tx.commit()

    async with uow as tx:
        await tx.memberships.remove(a_membership())
        await tx.commit()

    async with uow as tx:
        assert [m.team_id for m in await tx.memberships.of_user(USER_ID)] == [OTHER_TEAM_ID]
        live = await tx.sessions.list_live(USER_ID, START, PageRequest())
    assert [session.id for session in live.items] == [kept.id]
    assert await identity.sessions.find(ended.id) is None


async def test_lists_the_members_of_a_team_page_by_page(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        for user_id in (CAT, BEN):
            await tx.users.add(a_user(id=user_id))
            await tx.memberships.add(a_membership(user_id=user_id, role=Role.MEMBER))
        await tx.commit()

    async with uow as tx:
        pages = [
            await tx.memberships.list(TEAM_ID, PageRequest(page=page, page_size=2))
            for page in (1, 2, 3)
        ]

    members = [(member.user.id, member.role) for page in pages for member in page.items]
    assert members == [(USER_ID, Role.OWNER), (BEN, Role.MEMBER), (CAT, Role.MEMBER)]
    assert {(page.total, page.page_size) for page in pages} == {(3, 2)}


async def test_lists_the_teams_of_a_user(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        memberships = await tx.memberships.of_user(USER_ID)

    assert memberships == (a_membership(), a_membership(team_id=OTHER_TEAM_ID))


async def test_counts_the_owners_who_are_active(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        for user_id, role, is_active in (
            (BEN, Role.OWNER, False),
            (CAT, Role.OWNER, True),
            (UserId(uuid7_at(START, 62)), Role.ADMIN, True),
        ):
            email = f"{user_id}@example.com"
            await tx.users.add(a_user(id=user_id, email=email, is_active=is_active))
            await tx.memberships.add(a_membership(user_id=user_id, role=role))
        await tx.commit()

    async with uow as tx:
        assert await tx.memberships.count_active_owners(TEAM_ID) == 1
        # Its owner is nobody who could log in.
        assert await tx.memberships.count_active_owners(OTHER_TEAM_ID) == 0


async def test_two_owners_who_leave_at_once_are_counted_one_after_the_other(
    uow: IdentityUnitOfWork, identity: IdentityStore
) -> None:
    async with uow as tx:
        await tx.users.save(a_user(email="ada@example.com"))
        await tx.users.add(a_user(id=BEN, email="ben@example.com"))
        await tx.memberships.add(a_membership(user_id=BEN))
        await tx.commit()

    async def leave(user_id: UserId) -> bool:
        async with identity.unit_of_work() as tx:
            membership = await tx.memberships.get(TEAM_ID, user_id)
            if await tx.memberships.count_active_owners(TEAM_ID) < 2:
                return False
            await asyncio.sleep(0.01)
            await tx.memberships.remove(membership)
            await tx.commit()
            return True

    assert sorted(await asyncio.gather(leave(USER_ID), leave(BEN))) == [False, True]
