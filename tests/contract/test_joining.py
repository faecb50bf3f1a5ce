"""What every unit of work has to keep of setup tokens, password resets and invitations."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from application.identity.joining.ports import JoiningUnitOfWork
from application.shared.pagination import PageRequest
from domain.identity.api_key import hash_secret
from domain.identity.joining.errors import InvitationNotFoundError, InvitationPendingError
from domain.identity.joining.invitation import Invitation
from domain.identity.joining.password_reset import RESET_LIVES, PasswordReset
from domain.identity.joining.setup_token import SetupToken
from domain.identity.permissions import Role
from domain.shared.ids import InvitationId, PasswordResetId, SetupTokenId, UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_membership, a_team, a_user
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fakes.joining import InMemoryJoiningUnitOfWork
from tests.fixtures.stores import IdentityStore, MemoryIdentityStore, PostgresIdentityStore

Units = Callable[[], JoiningUnitOfWork]
STRANGER_ID = UserId(uuid7_at(START, 77))

_numbers = count(5000)


@pytest.fixture
async def units(identity: IdentityStore) -> Units:
    """Units of work on a database with two teams, the first of which has the nameless owner."""
    new = _units(identity)
    async with new() as tx:
        for team_id in (TEAM_ID, OTHER_TEAM_ID):
            await tx.teams.add(a_team(id=team_id))
        await tx.users.add(a_user())
        await tx.memberships.add(a_membership())
        await tx.commit()
    return new


def _units(store: IdentityStore) -> Units:
    if isinstance(store, PostgresIdentityStore):
        return store.unit_of_work
    assert isinstance(store, MemoryIdentityStore)
    return partial(InMemoryJoiningUnitOfWork, store.database)


def a_token(number: int) -> SetupToken:
    return SetupToken.issue(
        id=SetupTokenId(uuid7_at(START, number)), secret=f"setup {number}", at=START
    )


def a_reset(secret: str, **fields: Any) -> PasswordReset:
    return PasswordReset.issue(
        **{
            "id": PasswordResetId(uuid7_at(START, next(_numbers))),
            "user_id": USER_ID,
            "secret": secret,
            "at": START,
            **fields,
        }
    )


def an_invitation(**fields: Any) -> Invitation:
    number = next(_numbers)
    return Invitation.issue(
        **{
            "id": InvitationId(uuid7_at(START, number)),
            "team_id": TEAM_ID,
            "email": f"person{number}@example.com",
            "role": Role.MEMBER,
            "secret": f"invitation {number}",
            "invited_by": USER_ID,
            "at": START,
            **fields,
        }
    )


async def test_the_newest_setup_tokens_are_kept_until_they_are_cleared(units: Units) -> None:
    async with units() as tx:
        for number in (1, 2, 3):
            await tx.setup_tokens.add(a_token(number), keep=2)
        await tx.commit()

    async with units() as tx:
        known = [await tx.setup_tokens.has(hash_secret(f"setup {n}")) for n in (1, 2, 3, 4)]
        await tx.setup_tokens.clear()
        await tx.commit()
    async with units() as tx:
        left = await tx.setup_tokens.has(hash_secret("setup 3"))

    assert known == [False, True, True, False]
    assert not left


async def test_uncommitted_tokens_are_gone(units: Units) -> None:
    async with units() as tx:
        await tx.setup_tokens.add(a_token(1), keep=2)
        await tx.password_resets.add(a_reset("one"))
        await tx.invitations.add(an_invitation(secret="two"))

    async with units() as tx:
        assert not await tx.setup_tokens.has(hash_secret("setup 1"))
        assert await tx.password_resets.take(hash_secret("one")) is None
        assert await tx.invitations.find_by_secret(hash_secret("two")) is None


@pytest.mark.parametrize(
    "person",
    [{"email": "ada@example.com"}, {"external_issuer": "i", "external_subject": "s"}],
    ids=["email", "external"],
)
async def test_a_team_has_an_owner_once_one_is_a_person(
    units: Units, person: dict[str, str]
) -> None:
    async with units() as tx:
        before = await tx.setup_tokens.has_owner()
        await tx.users.save(a_user(**person))
        await tx.commit()

    async with units() as tx:
        assert not before
        assert await tx.setup_tokens.has_owner()


async def test_neither_a_member_nor_the_owner_of_another_team_is_its_owner(units: Units) -> None:
    async with units() as tx:
        await tx.users.add(a_user(id=STRANGER_ID, email="bob@example.com"))
        await tx.memberships.add(a_membership(user_id=STRANGER_ID, role=Role.ADMIN))
        await tx.memberships.add(a_membership(team_id=OTHER_TEAM_ID, user_id=STRANGER_ID))
        await tx.commit()

    async with units() as tx:
        assert not await tx.setup_tokens.has_owner()


async def test_a_reset_is_taken_once_and_takes_those_of_its_user_along(units: Units) -> None:
    first, second = a_reset("first"), a_reset("second")
    others = a_reset("others", user_id=STRANGER_ID)
    async with units() as tx:
        await tx.users.add(a_user(id=STRANGER_ID))
        for reset in (first, second, others):
            await tx.password_resets.add(reset)
        await tx.commit()

    async with units() as tx:
        taken = await tx.password_resets.take(hash_secret("first"))
        await tx.commit()

    async with units() as tx:
        assert taken == first
        assert await tx.password_resets.take(hash_secret("first")) is None
        assert await tx.password_resets.take(hash_secret("second")) is None
        assert await tx.password_resets.take(hash_secret("others")) == others


async def test_of_those_who_take_resets_of_a_user_at_once_one_gets_his(units: Units) -> None:
    async with units() as tx:
        for secret in ("first", "second", "third"):
            await tx.password_resets.add(a_reset(secret))
        await tx.commit()

    async def take(secret: str) -> PasswordReset | None:
        async with units() as tx:
            taken = await tx.password_resets.take(hash_secret(secret))
            await tx.users.get(USER_ID)
            await asyncio.sleep(0.05)
            await tx.commit()
        return taken

    taken = await asyncio.gather(*map(take, ("third", "first", "second", "first")))

    assert sorted(one is None for one in taken) == [False, True, True, True]


async def test_all_resets_of_a_user_are_forgotten(units: Units) -> None:
    others = a_reset("others", user_id=STRANGER_ID)
    async with units() as tx:
        await tx.users.add(a_user(id=STRANGER_ID))
        for reset in (a_reset("first"), a_reset("second"), others):
            await tx.password_resets.add(reset)
        await tx.commit()

    async with units() as tx:
        await tx.password_resets.forget(USER_ID)
        await tx.commit()

    async with units() as tx:
        assert await tx.password_resets.take(hash_secret("first")) is None
        assert await tx.password_resets.take(hash_secret("second")) is None
        assert await tx.password_resets.take(hash_secret("others")) == others


async def test_a_new_reset_clears_away_what_had_expired(units: Units) -> None:
    async with units() as tx:
        await tx.password_resets.add(a_reset("old"))
        await tx.password_resets.add(a_reset("new", at=START + RESET_LIVES))
        await tx.commit()

    async with units() as tx:
        assert await tx.password_resets.take(hash_secret("old")) is None
        assert await tx.password_resets.take(hash_secret("new")) is not None


async def test_an_invitation_comes_back_as_it_was(units: Units) -> None:
    invitation = an_invitation()
    async with units() as tx:
        await tx.invitations.add(invitation)
        await tx.commit()

    async with units() as tx:
        found = await tx.invitations.get(TEAM_ID, invitation.id)
        assert found == invitation
        assert await tx.invitations.find_by_secret(invitation.secret_hash) == invitation
        assert await tx.invitations.find_open(TEAM_ID, invitation.email) == invitation
        assert await tx.invitations.find_open(OTHER_TEAM_ID, invitation.email) is None


async def test_a_changed_invitation_is_kept_when_it_is_saved(units: Units) -> None:
    invitation = an_invitation()
    async with units() as tx:
        await tx.invitations.add(invitation)
        await tx.commit()

    async with units() as tx:
        unsaved = await tx.invitations.get(TEAM_ID, invitation.id)
        unsaved.revoke(START)
        await tx.commit()
    async with units() as tx:
        assert await tx.invitations.get(TEAM_ID, invitation.id) == invitation
    invitation.accept(USER_ID, at=START + timedelta(hours=1))
    async with units() as tx:
        await tx.invitations.save(invitation)
        await tx.commit()

    async with units() as tx:
        assert await tx.invitations.get(TEAM_ID, invitation.id) == invitation
        assert await tx.invitations.find_open(TEAM_ID, invitation.email) is None


async def test_another_teams_invitation_is_not_found(units: Units) -> None:
    invitation = an_invitation()
    async with units() as tx:
        await tx.invitations.add(invitation)

        with pytest.raises(InvitationNotFoundError):
            await tx.invitations.get(OTHER_TEAM_ID, invitation.id)
        with pytest.raises(InvitationNotFoundError):
            await tx.invitations.save(an_invitation())


async def test_an_address_has_one_open_invitation_in_a_team(units: Units) -> None:
    first = an_invitation(email="ada@example.com")
    async with units() as tx:
        await tx.invitations.add(first)
        await tx.invitations.add(an_invitation(team_id=OTHER_TEAM_ID, email="ada@example.com"))
        await tx.commit()

    async with units() as tx:
        with pytest.raises(InvitationPendingError):
            await tx.invitations.add(an_invitation(email="ada@example.com"))
    first.revoke(START)
    async with units() as tx:
        await tx.invitations.save(first)
        await tx.invitations.add(an_invitation(email="ada@example.com"))
        await tx.commit()


async def test_invitations_are_listed_newest_first_in_pages(units: Units) -> None:
    invitations = [an_invitation() for _ in range(3)]
    async with units() as tx:
        for invitation in (*invitations, an_invitation(team_id=OTHER_TEAM_ID)):
            await tx.invitations.add(invitation)
        await tx.commit()

    async with units() as tx:
        page = await tx.invitations.list(TEAM_ID, PageRequest(page=1, page_size=2))
        rest = await tx.invitations.list(TEAM_ID, PageRequest(page=2, page_size=2))

    assert page.items == (invitations[2], invitations[1])
    assert rest.items == (invitations[0],)
    assert (page.total, page.total_pages) == (3, 2)
