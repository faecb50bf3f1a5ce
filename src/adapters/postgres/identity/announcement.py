"""How the processes of a server hear that what they know of a team or a user is no longer so."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

# Every process listens here; the payload is the id of a team or of a user.
CHANNEL = "stoa_identity"

_ANNOUNCED = "announced"
_TELL = "tell"


async def announce(session: AsyncSession, changed: UUID) -> None:
    """Tell all processes, when the transaction commits."""
    await session.execute(select(func.pg_notify(CHANNEL, str(changed))))
    session.info.setdefault(_ANNOUNCED, []).append(str(changed))


def tell_first(sessions: async_sessionmaker[AsyncSession], tell: Callable[[str], None]) -> None:
    """Have ``tell`` called by ``tell_own_process`` for what those sessions announce."""
    sessions.configure(info={_TELL: tell})


def tell_own_process(session: AsyncSession) -> None:
    """To be called after the commit: this process does not wait to be told by the database, so
    that whoever gets an answer can rely on it."""
    tell = session.info.get(_TELL)
    announced = session.info.pop(_ANNOUNCED, ())
    if tell is not None:
        for changed in announced:
            tell(changed)
