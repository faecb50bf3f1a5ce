from collections.abc import Iterator
from datetime import timedelta

import pytest

from application.identity.sessions.log_in import LogInCommand
from application.shared.correlation import Origin, origin
from domain.identity.api_key import hash_secret
from domain.identity.errors import (
    LoginFailedError,
    NoTeamError,
    TeamNotFoundError,
    TooManyAttemptsError,
)
from domain.identity.session import REFRESH_PREFIX, SessionKind
from domain.operations.audit import ActorKind
from domain.shared.ids import TeamId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_membership, a_team, a_user
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.unit.application.identity.sessions.front_desk import EMAIL, PASSWORD, FrontDesk

ORIGIN = Origin("192.0.2.1", "Browser/1.0")


@pytest.fixture(autouse=True)
def came_from() -> Iterator[None]:
    token = origin.set(ORIGIN)
    yield
    origin.reset(token)


def credentials(**fields: object) -> LogInCommand:
    defaults = {"email": EMAIL, "password": PASSWORD, "kind": SessionKind.COOKIE}
    return LogInCommand(**(defaults | fields))  # type: ignore[arg-type]


async def test_opens_a_session_with_a_cookie_for_a_day(desk: FrontDesk) -> None:
    opened = await desk.log_in(credentials())

    session = desk.session(opened.session.id)
    assert session == opened.session
    assert opened.cookie is not None
    assert (opened.access_token, opened.refresh_token) == (None, None)
    assert session.kind is SessionKind.COOKIE
    assert session.secret_hash == hash_secret(opened.cookie)
    assert (session.team_id, session.user_id) == (TEAM_ID, USER_ID)
    assert session.expires_at == START + timedelta(hours=24)
    assert Origin(session.address, session.user_agent) == ORIGIN


async def test_opens_a_session_with_tokens_for_a_week(desk: FrontDesk) -> None:
    opened = await desk.log_in(credentials(kind=SessionKind.TOKEN, remember_me=True))

    session = desk.session(opened.session.id)
    assert opened.access_token is not None
    assert opened.refresh_token is not None
    assert opened.refresh_token.startswith(REFRESH_PREFIX)
    assert (session.kind, session.secret_hash, opened.cookie) == (SessionKind.TOKEN, None, None)
    assert session.expires_at == START + timedelta(days=7)
    assert desk.tokens.session_of(opened.access_token, START) == session.id


async def test_remembers_when_and_writes_it_down(desk: FrontDesk) -> None:
    opened = await desk.log_in(credentials())

    assert desk.user.last_login_at == START
    (entry,) = desk.audit
    assert (entry.action, entry.target_id) == ("session.created", str(opened.session.id))
    assert (entry.actor_kind, entry.user_id, entry.team_id) == (ActorKind.USER, USER_ID, TEAM_ID)
    assert (entry.address, entry.user_agent) == ("192.0.2.1", "Browser/1.0")


async def test_the_address_may_be_written_in_any_way(desk: FrontDesk) -> None:
    opened = await desk.log_in(credentials(email=" ADA@Example.com "))

    assert opened.user.id == USER_ID


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, {"password": "wrong"}),
        ({}, {"email": "nobody@example.com"}),
        ({}, {"email": "no address"}),
        ({}, {"email": ""}),
        ({"is_active": False}, {}),
        ({"password_hash": None}, {}),
    ],
    ids=["password", "nobody", "no address", "empty", "closed", "no password"],
)
async def test_refuses_everybody_else_alike(
    desk: FrontDesk, changes: dict[str, object], fields: dict[str, object]
) -> None:
    user = {"email": EMAIL, "password_hash": f"hash:{PASSWORD}"}
    desk.has_user(a_user(**(user | changes)))

    with pytest.raises(LoginFailedError) as refused:
        await desk.log_in(credentials(**fields))

    assert refused.value.message == "The e-mail address or the password is wrong."
    assert len(desk.hasher.verified) == 1
    assert desk.database.committed.sessions == {}
    assert desk.audit == []


async def test_failures_of_users_are_written_down_later(desk: FrontDesk) -> None:
    for email in (EMAIL, "nobody@example.com"):
        with pytest.raises(LoginFailedError):
            await desk.log_in(credentials(email=email, password="wrong"))
    desk.clock.advance(5)

    await desk.failures.flush()
    await desk.failures.flush()

    (entry,) = desk.audit
    assert (entry.action, entry.target_id) == ("user.login_failed", str(USER_ID))
    assert (entry.at, entry.team_id, entry.address) == (START, TEAM_ID, "192.0.2.1")
    assert (entry.actor_kind, entry.user_id) == (ActorKind.SYSTEM, None)


async def test_begins_in_the_oldest_team_or_in_the_one_asked_for(desk: FrontDesk) -> None:
    desk.database.committed.teams[OTHER_TEAM_ID] = a_team(id=OTHER_TEAM_ID)
    place = a_membership(team_id=OTHER_TEAM_ID)
    desk.database.committed.memberships[OTHER_TEAM_ID, USER_ID] = place

    oldest = await desk.log_in(credentials())
    other = await desk.log_in(credentials(team_id=OTHER_TEAM_ID))

    assert (oldest.session.team_id, other.session.team_id) == (TEAM_ID, OTHER_TEAM_ID)
    with pytest.raises(TeamNotFoundError):
        await desk.log_in(credentials(team_id=TeamId(uuid7_at(START, 999))))


async def test_whoever_is_in_no_team_cannot_act(desk: FrontDesk) -> None:
    desk.database.committed.memberships.clear()

    with pytest.raises(NoTeamError):
        await desk.log_in(credentials())


async def test_an_account_is_tried_so_often_and_no_more(desk: FrontDesk) -> None:
    for _ in range(10):
        with pytest.raises(LoginFailedError):
            await desk.log_in(credentials(password="wrong"))

    with pytest.raises(TooManyAttemptsError) as refused:
        await desk.log_in(credentials())

    assert refused.value.retry_after == 30
    desk.clock.advance(30)
    await desk.log_in(credentials())


async def test_so_is_an_account_that_nobody_has(desk: FrontDesk) -> None:
    for _ in range(10):
        with pytest.raises(LoginFailedError):
            await desk.log_in(credentials(email="nobody@example.com"))

    with pytest.raises(TooManyAttemptsError):
        await desk.log_in(credentials(email="NOBODY@example.com"))


async def test_an_address_tries_so_many_accounts_and_no_more(desk: FrontDesk) -> None:
    for number in range(100):
        with pytest.raises(LoginFailedError):
            await desk.log_in(credentials(email=f"{number}@example.com"))

    with pytest.raises(TooManyAttemptsError):
        await desk.log_in(credentials())
    origin.set(Origin("192.0.2.2"))
    await desk.log_in(credentials())


async def test_who_is_right_is_not_counted(desk: FrontDesk) -> None:
    for _ in range(30):
        await desk.log_in(credentials())


async def test_a_weak_hash_is_made_anew(desk: FrontDesk) -> None:
    desk.user.password_hash = f"outdated:{PASSWORD}"

    await desk.log_in(credentials())

    assert desk.user.password_hash == f"hash:{PASSWORD}"
