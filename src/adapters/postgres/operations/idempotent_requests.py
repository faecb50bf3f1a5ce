from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.errors import translated
from adapters.postgres.operations.idempotency_rows import idempotent_requests as rows
from application.operations.idempotency.ports import IdempotentRequests, KnownRequest
from application.operations.ports import Sealed
from domain.operations.idempotency import IdempotentRequest

_LOCK = 0x53746F61_00000011
# A look at every row is only worth it where all of them together are that large, and for one node.
_MAY_TRIM = text(
    "SELECT pg_total_relation_size('idempotent_requests') > :most"
    " AND pg_try_advisory_xact_lock(:lock)"
)
# What is read are the sizes of the answers, not the answers.
_TRIM = text("""
UPDATE idempotent_requests r SET answer = NULL FROM (
    SELECT team_id, principal_id, key, sum(octet_length(answer)) OVER (
        PARTITION BY team_id ORDER BY created_at DESC, principal_id, key) AS so_far
    FROM idempotent_requests WHERE answer IS NOT NULL AND team_id IN (
        SELECT team_id FROM idempotent_requests
        GROUP BY team_id HAVING sum(octet_length(answer)) > :most)
) AS kept
WHERE kept.so_far > :most AND r.team_id = kept.team_id AND r.principal_id = kept.principal_id
AND r.key = kept.key
""")

_Identity = tuple[object, object, str]


class PostgresIdempotentRequests(IdempotentRequests):
    """A process is dead when the lock on its number is free: see ``ProcessPresence``."""

    def __init__(self, engine: AsyncEngine, *, process: int) -> None:
        self._engine = engine
        self._process = process
        # What this process itself began and could not end in the database stands in nobody's way.
        self._running: set[_Identity] = set()

    async def claim(
        self, request: IdempotentRequest, *, at: datetime, expires_at: datetime
    ) -> KnownRequest | None:
        fresh: dict[str, Any] = {
            "fingerprint": request.fingerprint,
            "process": self._process,
            "created_at": at,
            "expires_at": expires_at,
            "is_answered": False,
            "answer": None,
        }
        with translated(), self._noted(_identity(request)) as note:
            async with self._engine.begin() as connection:
                known = await self._insert(connection, request, fresh)
                if known is None:
                    note()
                    return None
                if not await self._is_void(connection, known, _identity(request), at):
                    return KnownRequest(
                        fingerprint=known.fingerprint,
                        is_answered=known.is_answered,
                        answer=None if known.answer is None else Sealed(known.answer),
                    )
                await connection.execute(update(rows).where(_is(request)).values(fresh))
                note()
                return None

    @contextmanager
    def _noted(self, identity: _Identity) -> Iterator[Callable[[], None]]:
        """Notes that this process does the request before anybody else can see the row, and no
        longer if nobody has heard of the claim."""
        is_noted = False

        def note() -> None:
            nonlocal is_noted
            is_noted = True
            self._running.add(identity)

        try:
            yield note
        except BaseException:
            if is_noted:
                self._running.discard(identity)
            raise

    async def keep(self, request: IdempotentRequest, answer: Sealed | None) -> None:
        await self._end(
            request,
            update(rows)
            .where(self._own(request))
            .values(is_answered=True, answer=None if answer is None else answer.ciphertext),
        )

    async def release(self, request: IdempotentRequest) -> None:
        await self._end(request, delete(rows).where(self._own(request)))

    async def purge(self, at: datetime) -> int:
        with translated():
            async with self._engine.begin() as connection:
                purged = await connection.execute(delete(rows).where(rows.c.expires_at <= at))
                return purged.rowcount

    async def trim(self, most_bytes: int) -> int:
        with translated():
            async with self._engine.begin() as connection:
                if not await connection.scalar(_MAY_TRIM, {"most": most_bytes, "lock": _LOCK}):
                    return 0
                return (await connection.execute(_TRIM, {"most": most_bytes})).rowcount

    async def _insert(
        self, connection: AsyncConnection, request: IdempotentRequest, fresh: dict[str, Any]
    ) -> Any:
        """``None``, or the row that stands there already, locked."""
        statement = insert(rows).values(
            team_id=request.team_id, principal_id=request.principal_id, key=request.key, **fresh
        )
        while True:
            inserted = await connection.execute(statement.on_conflict_do_nothing())
            if inserted.rowcount:
                return None
            found = await connection.execute(select(rows).where(_is(request)).with_for_update())
            known = found.one_or_none()
            # Between the two statements it may have been released.
            if known is not None:
                return known

    async def _is_void(
        self, connection: AsyncConnection, known: Any, identity: _Identity, at: datetime
    ) -> bool:
        if known.expires_at <= at:
            return True
        if known.is_answered:
            return False
        if known.process == self._process:
            return identity not in self._running
        return bool(await connection.scalar(select(func.pg_try_advisory_xact_lock(known.process))))

    async def _end(self, request: IdempotentRequest, statement: Any) -> None:
        try:
            with translated():
                async with self._engine.begin() as connection:
                    await connection.execute(statement)
        finally:
            self._running.discard(_identity(request))

    def _own(self, request: IdempotentRequest) -> ColumnElement[bool]:
        return and_(_is(request), rows.c.process == self._process, ~rows.c.is_answered)


def _identity(request: IdempotentRequest) -> _Identity:
    return request.team_id, request.principal_id, request.key


def _is(request: IdempotentRequest) -> ColumnElement[bool]:
    return and_(
        rows.c.team_id == request.team_id,
        rows.c.principal_id == request.principal_id,
        rows.c.key == request.key,
    )
