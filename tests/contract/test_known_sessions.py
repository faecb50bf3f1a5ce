"""What every directory of sessions, and every record of their use, has to keep."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from application.identity.ports import IdentityUnitOfWork
from application.identity.session_ports import KnownSession
from domain.identity.allowance import Allowance, Limits, Subject, SubjectKind
from domain.identity.permissions import Role
from domain.identity.session import Session, SessionKind
from domain.shared.ids import SessionId
from tests.builders import (
    OTHER_TEAM_ID,
    TEAM_ID,
    USER_ID,
    a_membership,
    a_session,
    a_user,
)
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.stores import IdentityStore


@pytest.fixture
async def session(uow: IdentityUnitOfWork) -> Session:
    session = a_session()
    async with uow as tx:
        await tx.sessions.add(session)
        await tx.commit()
    return session


def known(session: Session, **fields: object) -> KnownSession:
    defaults = {"role": Role.OWNER, "is_operator": False}
    return KnownSession(session=session, **(defaults | fields))  # type: ignore[arg-type]


async def test_finds_a_session_by_its_cookie_and_by_its_id(
    identity: IdentityStore, session: Session
) -> None:
    assert session.secret_hash is not None

    found = [
        await identity.sessions.find(reference)
        for reference in (session.secret_hash, session.id, session.secret_hash, session.id)
    ]

    assert found == [known(session)] * 4


@pytest.mark.usefixtures("session")
async def test_does_not_find_what_is_not_there(identity: IdentityStore) -> None:
    unknown = SessionId(uuid7_at(START, 999))

    found = [await identity.sessions.find(reference) for reference in (b"none", unknown) * 2]

    assert found == [None] * 4


async def test_a_new_session_is_found_at_once(
    identity: IdentityStore, uow: IdentityUnitOfWork
) -> None:
    new = a_session(kind=SessionKind.TOKEN)
    assert await identity.sessions.find(new.id) is None

    async with uow as tx:
        await tx.sessions.add(new)
        await tx.commit()

    await _at_once(lambda: _is(identity, new, known(new)))


async def test_its_end_is_seen_at_once(
    identity: IdentityStore, uow: IdentityUnitOfWork, session: Session
) -> None:
    await identity.sessions.find(session.id)

    async with uow as tx:
        await tx.sessions.revoke_all(USER_ID, START)
        await tx.commit()

    await _at_once(lambda: _is(identity, session, known(replace(session, revoked_at=START))))


async def test_a_move_to_another_team_is_seen_at_once(
    identity: IdentityStore, uow: IdentityUnitOfWork, session: Session
) -> None:
    await identity.sessions.find(session.id)
    moved = replace(session, team_id=OTHER_TEAM_ID)

    async with uow as tx:
        await tx.memberships.save(a_membership(team_id=OTHER_TEAM_ID, role=Role.VIEWER))
        await tx.sessions.save(moved)
        await tx.commit()

    await _at_once(lambda: _is(identity, session, known(moved, role=Role.VIEWER)))


async def test_another_role_is_seen_at_once(
    identity: IdentityStore, uow: IdentityUnitOfWork, session: Session
) -> None:
    await identity.sessions.find(session.id)

    async with uow as tx:
        await tx.memberships.save(a_membership(role=Role.MEMBER))
        await tx.commit()

    await _at_once(lambda: _is(identity, session, known(session, role=Role.MEMBER)))


async def test_a_closed_account_is_seen_at_once_and_so_is_its_reopening(
    identity: IdentityStore, uow: IdentityUnitOfWork, session: Session
) -> None:
    await identity.sessions.find(session.id)

    for is_active, expected in ((False, None), (True, known(session, is_operator=True))):
        async with uow as tx:
            await tx.users.save(a_user(is_active=is_active, is_operator=True))
            await tx.commit()
        await _at_once(lambda expected=expected: _is(identity, session, expected))  # type: ignore[misc]


async def test_what_may_be_used_is_seen_at_once(
    identity: IdentityStore, uow: IdentityUnitOfWork, session: Session
) -> None:
    await identity.sessions.find(session.id)
    subjects = [Subject(SubjectKind.TEAM, TEAM_ID), Subject(SubjectKind.USER, USER_ID)]
    limits = Limits(rpm=7)

    async with uow as tx:
        for subject in subjects:
            await tx.allowances.set_limits(TEAM_ID, subject, limits)
        await tx.commit()

    bounding = tuple(Allowance(subject=subject, limits=limits) for subject in subjects)
    await _at_once(lambda: _is(identity, session, known(session, allowances=bounding)))


async def test_when_a_session_was_seen_is_written_when_flushed(
    identity: IdentityStore, uow: IdentityUnitOfWork, session: Session
) -> None:
    later = START + timedelta(minutes=5)
    identity.session_activity.touch(session, later)
    identity.session_activity.touch(a_session(), later)
    identity.session_activity.touch(session, START)

    await identity.session_activity.flush()
    await identity.session_activity.flush()

    async with uow as tx:
        assert (await tx.sessions.get(USER_ID, session.id)).last_seen_at == later


async def _is(identity: IdentityStore, session: Session, expected: KnownSession | None) -> bool:
    return await identity.sessions.find(session.id) == expected


async def _at_once(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.001)
