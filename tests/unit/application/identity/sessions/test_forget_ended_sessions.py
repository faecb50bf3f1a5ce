from datetime import timedelta

from application.identity.sessions.forget_ended_sessions import ForgetEndedSessions
from tests.builders import a_session
from tests.fakes.clock import START
from tests.fakes.sessions import InMemoryEndedSessions
from tests.unit.application.identity.sessions.front_desk import FrontDesk


async def test_forgets_what_ended_a_week_ago(desk: FrontDesk) -> None:
    sessions = desk.database.committed.sessions
    long_ago, lately = START - timedelta(days=8), START - timedelta(days=6)
    for ended in (long_ago, lately):
        for fields in ({"expires_at": ended}, {"revoked_at": ended}):
            session = a_session(**fields)
            sessions[session.id] = session
    forget = ForgetEndedSessions(ended=InMemoryEndedSessions(desk.database), clock=desk.clock)

    await forget()

    assert [session.revoked_at or session.expires_at for session in sessions.values()] == [
        lately,
        lately,
    ]
