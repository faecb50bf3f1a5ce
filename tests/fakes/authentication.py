"""Who is let in, over the state of a fake database."""

from application.identity.authenticate import Authenticate, SessionAccess
from application.shared.ports import Clock
from tests.fakes.credentials import InMemoryCredentials, InMemoryKeyActivity
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.sessions import (
    InMemorySessionActivity,
    InMemorySessionDirectory,
    KnownOutside,
    ReadableAccessTokens,
)


def session_access(database: InMemoryIdentity, clock: Clock) -> SessionAccess:
    return SessionAccess(
        directory=InMemorySessionDirectory(database),
        activity=InMemorySessionActivity(database),
        tokens=ReadableAccessTokens(),
        external=KnownOutside(),
        clock=clock,
    )


def authenticate(database: InMemoryIdentity, clock: Clock) -> Authenticate:
    return Authenticate(
        credentials=InMemoryCredentials(database),
        activity=InMemoryKeyActivity(database),
        sessions=session_access(database, clock),
        clock=clock,
    )
