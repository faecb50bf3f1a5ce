import pytest

from application.identity.sessions.opening import OpenedSession
from application.identity.sessions.refresh_session import RefreshSessionCommand
from domain.identity.errors import RefreshTokenInvalidError
from domain.identity.session import LIFETIME, SessionKind
from tests.fakes.clock import START
from tests.unit.application.identity.sessions.front_desk import FrontDesk


@pytest.fixture
async def opened(desk: FrontDesk) -> OpenedSession:
    return await desk.opened(SessionKind.TOKEN)


async def refreshed(desk: FrontDesk, opened: OpenedSession) -> OpenedSession:
    assert opened.refresh_token is not None
    return await desk.refresh(RefreshSessionCommand(refresh_token=opened.refresh_token))


async def test_gives_new_tokens_of_the_same_session(desk: FrontDesk, opened: OpenedSession) -> None:
    desk.clock.advance(60 * 60)

    first = await refreshed(desk, opened)
    second = await refreshed(desk, first)

    assert len({opened.refresh_token, first.refresh_token, second.refresh_token}) == 3
    assert second.access_token is not None
    assert desk.tokens.session_of(second.access_token, desk.clock.now()) == opened.session.id
    assert second.session.expires_at == opened.session.expires_at == START + LIFETIME


async def test_a_token_that_is_used_twice_ends_the_session(
    desk: FrontDesk, opened: OpenedSession
) -> None:
    newer = await refreshed(desk, opened)

    with pytest.raises(RefreshTokenInvalidError):
        await refreshed(desk, opened)

    assert desk.session(opened.session.id).revoked_at == START
    assert desk.audit[-1].action == "session.revoked"
    with pytest.raises(RefreshTokenInvalidError):
        await refreshed(desk, newer)
    assert desk.actions == ["session.created", "session.revoked"]


async def test_refuses_after_the_end_of_the_session(desk: FrontDesk, opened: OpenedSession) -> None:
    desk.clock.advance(LIFETIME.total_seconds())

    with pytest.raises(RefreshTokenInvalidError):
        await refreshed(desk, opened)


async def test_refuses_for_a_closed_account(desk: FrontDesk, opened: OpenedSession) -> None:
    desk.user.is_active = False

    with pytest.raises(RefreshTokenInvalidError):
        await refreshed(desk, opened)


async def test_refuses_what_is_no_refresh_token(desk: FrontDesk, opened: OpenedSession) -> None:
    cookie = await desk.opened()

    for token in ("", "rt-stoa-unknown", opened.access_token, cookie.cookie):
        with pytest.raises(RefreshTokenInvalidError):
            await desk.refresh(RefreshSessionCommand(refresh_token=str(token)))
