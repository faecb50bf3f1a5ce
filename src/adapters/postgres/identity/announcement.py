"""How the processes of a server hear that what they know of a team or a user is no longer so."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

# Every process listens here; the payload is the id of a team or of a user.
CHANNEL = "stoa_identity"


async def announce(session: AsyncSession, changed: UUID) -> None:
    """Tell all processes, when the transaction commits."""
    await session.execute(select(func.pg_notify(CHANNEL, str(changed))))
