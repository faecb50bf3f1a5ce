from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.errors import translated
from application.inference.allowance_ports import AllotmentPart, Allotments, AllotmentWish
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.shared.errors import UnavailableError
from domain.shared.ids import AllotmentId, TeamId

log = structlog.get_logger()

ROUTE = "budgets"

_ALLOT = text(
    "SELECT allot_budget(CAST(:team AS uuid), CAST(:id AS uuid), CAST(:owner AS uuid),"
    " CAST(:key AS uuid), CAST(:wanted AS numeric), CAST(:least AS numeric),"
    " CAST(:at AS timestamptz), CAST(:expiry AS timestamptz))"
)
_GIVE_BACK = text(
    "SELECT settle_calls(CAST(:teams AS uuid[]), NULL, NULL, NULL, NULL, NULL,"
    " CAST(:ids AS uuid[]), CAST(:amounts AS numeric[]))"
)
_RENEW = text(
    "SELECT renew_allotments(CAST(:teams AS uuid[]), CAST(:ids AS uuid[]),"
    " CAST(:expiry AS timestamptz))"
)


class PostgresAllotments(Allotments):
    """Allotments next to the holds of calls. Nobody waits for them, so each is a transaction of the
    usual kind, which is on the disk when it is done."""

    def __init__(
        self, engine: AsyncEngine, *, ttl_s: float, reporter: ErrorReporter | None = None
    ) -> None:
        """An allotment is good for ``ttl_s`` if nobody renews it. ``reporter`` gets what the
        database did not take."""
        self._engine = engine
        self._ttl = timedelta(seconds=ttl_s)
        self._reporter = reporter

    async def allot(self, wish: AllotmentWish) -> Decimal:
        async with self._transaction() as connection:
            granted: Decimal = await connection.scalar(
                _ALLOT,
                {
                    "team": wish.team_id,
                    "id": wish.id,
                    "owner": wish.user_id,
                    "key": wish.key_id,
                    "wanted": wish.wanted,
                    "least": wish.least,
                    "at": wish.at,
                    "expiry": wish.at + self._ttl,
                },
            )
        return granted

    async def give_back(self, parts: Sequence[AllotmentPart]) -> None:
        async with self._transaction() as connection:
            await connection.execute(
                _GIVE_BACK,
                {
                    "teams": [part.team_id for part in parts],
                    "ids": [part.id for part in parts],
                    "amounts": [part.amount for part in parts],
                },
            )

    async def renew(
        self, allotments: Sequence[tuple[TeamId, AllotmentId]], at: datetime
    ) -> frozenset[AllotmentId]:
        async with self._transaction() as connection:
            gone = await connection.scalars(
                _RENEW,
                {
                    "teams": [team_id for team_id, _ in allotments],
                    "ids": [allotment_id for _, allotment_id in allotments],
                    "expiry": at + self._ttl,
                },
            )
            return frozenset(map(AllotmentId, gone))

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            with translated():
                async with self._engine.begin() as connection:
                    yield connection
        except UnavailableError:
            raise
        except Exception as error:
            log.exception("budgets.allotment_refused")
            if self._reporter is not None:
                self._reporter.report(error, Circumstances(route=ROUTE))
            raise UnavailableError("The budgets of the caller cannot be reached now.") from error
