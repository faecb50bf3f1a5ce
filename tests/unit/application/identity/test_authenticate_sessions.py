from dataclasses import dataclass
from datetime import timedelta

import pytest

from application.identity.authenticate import Authenticate
from application.shared.actor import Actor
from domain.identity.api_key import hash_secret
from domain.identity.errors import CredentialsInvalidError, SessionEndedError
from domain.identity.permissions import PERMISSIONS_OF, SERVER_PERMISSIONS, Role
from domain.identity.session import LIFETIME, Session, SessionKind
from tests.builders import TEAM_ID, USER_ID, a_key, a_membership, a_session, an_actor
from tests.fakes.authentication import session_access
from tests.fakes.clock import START
from tests.fakes.credentials import InMemoryCredentials, InMemoryKeyActivity
from tests.fakes.sessions import (
    InMemorySessionActivity,
    KnownOutside,
    ReadableAccessTokens,
)
from tests.unit.application.identity.desk import Desk

COOKIE = "a secret of a cookie"
TOKENS = ReadableAccessTokens()


@dataclass
class Door:
    desk: Desk

    def __post_init__(self) -> None:
        self.sessions = session_access(self.desk.database, self.desk.clock)
        self.authenticate = Authenticate(
            credentials=InMemoryCredentials(self.desk.database),
            activity=InMemoryKeyActivity(self.desk.database),
            sessions=self.sessions,
            clock=self.desk.clock,
        )

    def session(self, **fields: object) -> Session:
        session = a_session(**{"secret_hash": hash_secret(COOKIE)} | fields)
        self.desk.database.committed.sessions[session.id] = session
        return session

    def token_session(self) -> Session:
        return self.session(kind=SessionKind.TOKEN, secret_hash=None)


@pytest.fixture
def door(desk: Desk) -> Door:
    return Door(desk)


async def test_a_live_session_opens_the_door_by_its_cookie(door: Door) -> None:
    session = door.session()

    actor = await door.authenticate(None, cookie=COOKIE)

    assert actor == Actor(
        team_id=TEAM_ID,
        user_id=USER_ID,
        session_id=session.id,
        permissions=PERMISSIONS_OF[Role.OWNER],
    )


async def test_a_session_opens_the_door_by_its_access_token(door: Door) -> None:
    session = door.token_session()

    actor = await door.authenticate(TOKENS.issue(session, START))

    assert actor.session_id == session.id


async def test_a_person_may_do_what_the_role_allows(desk: Desk, door: Door) -> None:
    door.session()
    desk.database.committed.memberships[TEAM_ID, USER_ID] = a_membership(role=Role.VIEWER)
    desk.database.committed.users[USER_ID].is_operator = True

    actor = await door.authenticate(None, cookie=COOKIE)

    assert actor.permissions == PERMISSIONS_OF[Role.VIEWER] | SERVER_PERMISSIONS


@pytest.mark.parametrize(
    "fields", [{"revoked_at": START}, {"expires_at": START}], ids=["revoked", "expired"]
)
async def test_a_session_that_has_ended_does_not(door: Door, fields: dict[str, object]) -> None:
    session = door.session(**fields)

    with pytest.raises(SessionEndedError):
        await door.authenticate(None, cookie=COOKIE)
    with pytest.raises(CredentialsInvalidError):
        await door.authenticate(TOKENS.issue(session, START))


async def test_neither_does_the_session_of_a_closed_account(desk: Desk, door: Door) -> None:
    door.session()
    desk.database.committed.users[USER_ID].is_active = False

    with pytest.raises(SessionEndedError):
        await door.authenticate(None, cookie=COOKIE)


async def test_an_access_token_expires_before_its_session(desk: Desk, door: Door) -> None:
    token = TOKENS.issue(door.token_session(), START)
    desk.clock.advance(15 * 60)

    with pytest.raises(CredentialsInvalidError):
        await door.authenticate(token)


@pytest.mark.parametrize("secret", ["rt-stoa-refresh", "sk-stoa-unknown", "anything", COOKIE])
async def test_nothing_else_is_a_bearer_token(door: Door, secret: str) -> None:
    door.session()

    with pytest.raises(CredentialsInvalidError):
        await door.authenticate(secret)


async def test_the_secret_of_a_key_is_no_cookie(desk: Desk, door: Door) -> None:
    desk.has(a_key(secret="sk-stoa-secret"))

    with pytest.raises(SessionEndedError):
        await door.authenticate(None, cookie="sk-stoa-secret")


async def test_a_bearer_token_comes_before_a_cookie(desk: Desk, door: Door) -> None:
    door.session()
    key = desk.has(a_key(secret="sk-stoa-secret"))

    assert (await door.authenticate("sk-stoa-secret", cookie=COOKIE)).key_id == key.id


async def test_whom_an_identity_provider_vouches_for_is_let_in(door: Door) -> None:
    assert isinstance(door.sessions.external, KnownOutside)
    door.sessions.external.actors["outside"] = an_actor(key_id=None)

    assert await door.authenticate("outside") == an_actor(key_id=None)


async def test_being_let_in_is_remembered(desk: Desk, door: Door) -> None:
    session = door.session(expires_at=START + LIFETIME)
    desk.clock.advance(60)

    await door.authenticate(None, cookie=COOKIE)

    assert isinstance(door.sessions.activity, InMemorySessionActivity)
    assert door.sessions.activity.touched == {session.id: START + timedelta(minutes=1)}
