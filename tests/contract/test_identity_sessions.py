"""What every unit of work has to keep of sessions."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from application.identity.ports import IdentityUnitOfWork
from application.shared.pagination import PageRequest
from domain.identity.attempts import AttemptLimit, AttemptSubject
from domain.identity.errors import SessionNotFoundError, TooManyAttemptsError
from domain.identity.session import LIFETIME, RefreshToken, SessionKind
from domain.shared.ids import SessionId, UserId
from tests.builders import OTHER_TEAM_ID, USER_ID, a_membership, a_session, a_user
from tests.fakes.clock import START, FrozenClock
from tests.fakes.ids import uuid7_at
from tests.fixtures.stores import IdentityStore

BEN = UserId(uuid7_at(START, 60))
UNKNOWN = SessionId(uuid7_at(START, 999))
THREE_AT_ONCE = AttemptLimit(at_once=3, every=timedelta(seconds=10))
ADA = AttemptSubject("login", "ada", THREE_AT_ONCE)
OTHER = AttemptSubject("login", "other", THREE_AT_ONCE)


@pytest.mark.parametrize("kind", SessionKind)
async def test_a_session_comes_back_as_it_was(uow: IdentityUnitOfWork, kind: SessionKind) -> None:
    session = a_session(kind=kind, address="::1", user_agent="Браузер", revoked_at=START)
    async with uow as tx:
        await tx.sessions.add(session)
        await tx.commit()

    async with uow as tx:
        assert await tx.sessions.get(USER_ID, session.id) == session


async def test_saving_a_session_stores_every_change(uow: IdentityUnitOfWork) -> None:
    session = a_session()
    later = START + timedelta(hours=1)
    changed = replace(
        session, team_id=OTHER_TEAM_ID, last_seen_at=later, expires_at=later, revoked_at=later
    )
    async with uow as tx:
        await tx.sessions.add(session)
        await tx.sessions.save(changed)
        await tx.commit()

    async with uow as tx:
        assert await tx.sessions.get(USER_ID, session.id) == changed


async def test_an_unknown_or_anothers_session_is_not_found(uow: IdentityUnitOfWork) -> None:
    session = a_session()
    async with uow as tx:
        await tx.sessions.add(session)
        await tx.commit()

    async with uow as tx:
        for user_id, session_id in ((USER_ID, UNKNOWN), (BEN, session.id)):
            with pytest.raises(SessionNotFoundError):
                await tx.sessions.get(user_id, session_id)
        with pytest.raises(SessionNotFoundError):
            await tx.sessions.save(a_session())


async def test_lists_live_sessions_newest_first(uow: IdentityUnitOfWork) -> None:
    sessions = [a_session(), a_session(), a_session(revoked_at=START), a_session(expires_at=START)]
    async with uow as tx:
        for session in sessions:
            await tx.sessions.add(session)
        await tx.commit()

    async with uow as tx:
        first = await tx.sessions.list_live(USER_ID, START, PageRequest(page_size=1))
        second = await tx.sessions.list_live(USER_ID, START, PageRequest(page=2, page_size=1))

    assert (first.items, second.items) == ((sessions[1],), (sessions[0],))
    assert first.total == 2


async def test_ends_all_sessions_of_a_user_but_one(uow: IdentityUnitOfWork) -> None:
    mine, kept, dead = a_session(), a_session(), a_session(expires_at=START)
    theirs = a_session(user_id=BEN)
    async with uow as tx:
        await tx.users.add(a_user(id=BEN))
        await tx.memberships.add(a_membership(user_id=BEN))
        for session in (mine, kept, dead, theirs):
            await tx.sessions.add(session)
        await tx.commit()

    async with uow as tx:
        ended = await tx.sessions.revoke_all(USER_ID, START, but=kept.id)
        await tx.commit()

    async with uow as tx:
        revoked = await tx.sessions.get(USER_ID, mine.id)
        others = [
            await tx.sessions.get(USER_ID, kept.id),
            await tx.sessions.get(USER_ID, dead.id),
            await tx.sessions.get(BEN, theirs.id),
        ]
    assert ended == (mine.id,)
    assert revoked == replace(mine, revoked_at=START)
    assert others == [kept, dead, theirs]


async def test_a_refresh_token_is_found_with_its_session(uow: IdentityUnitOfWork) -> None:
    session = a_session(kind=SessionKind.TOKEN)
    token = RefreshToken(token_hash=b"hash", session_id=session.id, created_at=START)
    async with uow as tx:
        await tx.sessions.add(session)
        await tx.sessions.add_refresh_token(token)
        await tx.commit()

    async with uow as tx:
        fresh = await tx.sessions.find_refresh_token(b"hash")
        await tx.sessions.use_refresh_token(token, START)
        used = await tx.sessions.find_refresh_token(b"hash")
        unknown = await tx.sessions.find_refresh_token(b"other")

    assert fresh == (token, session)
    assert used == (replace(token, used_at=START), session)
    assert unknown is None


async def test_of_two_who_use_a_refresh_token_at_once_one_sees_that_it_was_used(
    uow: IdentityUnitOfWork, identity: IdentityStore
) -> None:
    session = a_session(kind=SessionKind.TOKEN)
    token = RefreshToken(token_hash=b"hash", session_id=session.id, created_at=START)
    async with uow as tx:
        await tx.sessions.add(session)
        await tx.sessions.add_refresh_token(token)
        await tx.commit()

    async def use() -> bool:
        async with identity.unit_of_work() as tx:
            found = await tx.sessions.find_refresh_token(b"hash")
            assert found is not None
            await asyncio.sleep(0.01)
            await tx.sessions.use_refresh_token(found[0], START)
            await tx.commit()
            return found[0].used_at is None

    assert sorted(await asyncio.gather(use(), use())) == [False, True]


async def test_forgets_sessions_that_ended_long_ago(
    uow: IdentityUnitOfWork, identity: IdentityStore
) -> None:
    expired, revoked, live = a_session(), a_session(revoked_at=START), a_session()
    live.expires_at = START + 3 * LIFETIME
    async with uow as tx:
        for session in (expired, revoked, live):
            await tx.sessions.add(session)
        await tx.commit()

    forgotten = await identity.ended_sessions.forget(START + 2 * LIFETIME)

    assert forgotten == 2
    async with uow as tx:
        with pytest.raises(SessionNotFoundError):
            await tx.sessions.get(USER_ID, expired.id)
        assert await tx.sessions.get(USER_ID, live.id) == live


async def test_so_many_attempts_are_free_and_then_one_at_a_time(identity: IdentityStore) -> None:
    clock = FrozenClock()
    attempts = identity.attempts(clock)
    for _ in range(3):
        await attempts.count([ADA])

    with pytest.raises(TooManyAttemptsError) as refused:
        await attempts.count([ADA])
    await attempts.count([OTHER])
    clock.advance(10)
    await attempts.count([ADA])
    clock.advance(4)
    with pytest.raises(TooManyAttemptsError) as again:
        await attempts.count([ADA])

    assert (refused.value.retry_after, again.value.retry_after) == (10.0, 6.0)


async def test_a_refused_attempt_counts_on_the_subjects_before(identity: IdentityStore) -> None:
    attempts = identity.attempts(FrozenClock())
    for _ in range(3):
        await attempts.count([ADA])

    for _ in range(3):
        with pytest.raises(TooManyAttemptsError):
            await attempts.count([OTHER, ADA])

    with pytest.raises(TooManyAttemptsError):
        await attempts.count([OTHER])


async def test_an_attempt_can_be_taken_back(identity: IdentityStore) -> None:
    attempts = identity.attempts(FrozenClock())

    for _ in range(10):
        await attempts.count([ADA, OTHER])
        await attempts.forgive([ADA, OTHER])


async def test_attempts_at_once_cannot_exceed_the_limit(identity: IdentityStore) -> None:
    attempts = identity.attempts(FrozenClock())

    results = await asyncio.gather(
        *(attempts.count([OTHER, ADA]) for _ in range(8)), return_exceptions=True
    )

    assert sum(result is None for result in results) == 3
