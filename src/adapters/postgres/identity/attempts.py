from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.errors import translated
from application.identity.session_ports import Attempts
from application.shared.ports import Clock
from domain.identity.attempts import AttemptSubject
from domain.identity.errors import TooManyAttemptsError

# Each attempt moves the moment on at which all of them will be forgotten; one that would move it
# too far ahead is refused and moves nothing.
_COUNT = text("""
INSERT INTO login_attempts AS a (subject_hash, quiet_at)
VALUES (:subject, CAST(:now AS timestamptz) + :every)
ON CONFLICT (subject_hash) DO UPDATE
SET quiet_at = greatest(a.quiet_at, :now) + :every
WHERE a.quiet_at <= CAST(:now AS timestamptz) + :slack
RETURNING quiet_at
""")
_QUIET_AT = text("SELECT quiet_at FROM login_attempts WHERE subject_hash = :subject")
_FORGIVE = text(
    "UPDATE login_attempts SET quiet_at = quiet_at - CAST(:every AS interval)"
    " WHERE subject_hash = :subject"
)


class PostgresAttempts(Attempts):
    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def count(self, subjects: Sequence[AttemptSubject]) -> None:
        with translated():
            async with self._engine.connect() as connection:
                for subject in subjects:
                    await self._count(connection, subject)
                await connection.commit()

    async def forgive(self, subjects: Sequence[AttemptSubject]) -> None:
        with translated():
            async with self._engine.begin() as connection:
                for subject in subjects:
                    await connection.execute(
                        _FORGIVE, {"subject": subject.hash, "every": subject.limit.every}
                    )

    async def _count(self, connection: AsyncConnection, subject: AttemptSubject) -> None:
        now, limit = self._clock.now(), subject.limit
        counted = await connection.scalar(
            _COUNT,
            {"subject": subject.hash, "now": now, "every": limit.every, "slack": limit.slack},
        )
        if counted is not None:
            return
        quiet_at = await connection.scalar(_QUIET_AT, {"subject": subject.hash})
        # What was counted on the others stays counted.
        await connection.commit()
        wait = limit.every if quiet_at is None else quiet_at - now - limit.slack
        raise TooManyAttemptsError(max(wait.total_seconds(), 0.0))
