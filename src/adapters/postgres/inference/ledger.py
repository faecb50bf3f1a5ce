import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import structlog

from adapters.postgres.inference import statements
from adapters.postgres.inference.call_json import encode_call
from adapters.postgres.inference.deadlines import Deadlines
from adapters.postgres.inference.lane import Lane
from adapters.postgres.inference.ledger_connection import LedgerConnection
from adapters.postgres.inference.ledger_row import (
    Item,
    LedgerRow,
    NotWritten,
    Outcome,
    RowState,
)
from adapters.postgres.inference.lost_rows import LostRows
from application.inference.closed_calls import ClosedCalls
from application.inference.ports import Ledger, WriteAhead
from application.operations.records.error_reporter import ErrorReporter
from domain.inference.call import Call
from domain.inference.errors import LedgerUnavailableError
from domain.shared.ids import CallId

log = structlog.get_logger()

MAX_QUEUED = 100_000
SENT_TIMEOUT_S = 5.0
COMMITTED_TIMEOUT_S = 30.0
# Batches of rows start this far apart under load; a row that comes alone leaves at once.
INSERT_GAP_S = 0.0005
# A row that must leave while the database is held up takes a connection of its own, up to so many.
ROW_CARRIERS = 4
# Nobody waits for an outcome.
OUTCOME_LINGER_S = 0.02


class PostgresLedger(Ledger):
    """Commits the rows of calls in groups, over connections of its own: some for new rows, one for
    outcomes. An outcome never overtakes its row: if that has not left yet, both become one
    insert; if it is under way, the outcome waits for it.

    While the database is away rows are kept in order and new calls wait, each for a limited time;
    a row whose call gave up waiting is written all the same.
    """

    def __init__(
        self,
        database_url: str,
        *,
        process: int,
        max_queued: int = MAX_QUEUED,
        sent_timeout_s: float = SENT_TIMEOUT_S,
        committed_timeout_s: float = COMMITTED_TIMEOUT_S,
        insert_gap_s: float = INSERT_GAP_S,
        outcome_linger_s: float = OUTCOME_LINGER_S,
        reporter: ErrorReporter | None = None,
    ) -> None:
        """``process`` is the number that the process' presence holds a lock on."""
        self.closed = ClosedCalls()
        self._database_url = database_url
        self._lost = LostRows(reporter)
        self._process = process
        self._max_queued = max_queued
        self._sent_by = _deadlines(sent_timeout_s, "The call could not be recorded in time.")
        self._durable_by = _deadlines(committed_timeout_s, "The call could not be recorded.")
        self._open: dict[CallId, LedgerRow] = {}
        self._unsaved = 0
        self._all_saved: asyncio.Event = asyncio.Event()
        self._rows = Lane[LedgerRow](
            name="rows",
            connect=self._connect_for_rows,
            on_durable=self._on_rows_durable,
            on_refused=self._on_row_refused,
            gap_s=insert_gap_s,
            most_carriers=ROW_CARRIERS,
        )
        self._outcomes = Lane[Outcome](
            name="outcomes",
            connect=self._connect_for_outcomes,
            on_durable=self._on_outcomes_durable,
            on_refused=self._on_outcome_refused,
            gap_s=outcome_linger_s,
            linger_s=outcome_linger_s,
        )

    async def start(self) -> None:
        """Connects in the background; until then rows wait."""
        self._rows.start()
        self._outcomes.start()

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Write what is queued, and log what could not be written."""
        await self.flush(timeout_s)
        left: list[Item] = [*await self._rows.stop(), *await self._outcomes.stop()]
        self._sent_by.stop()
        self._durable_by.stop()
        for item in left:
            self._lost.left(item.payload)
        self._saved(len(left))

    @property
    def backlog(self) -> int:
        """How many rows and outcomes are not durable yet."""
        return self._unsaved

    def open(self, call: Call) -> WriteAhead:
        if self._rows.queued >= self._max_queued:
            return NotWritten(_too_many())
        row = LedgerRow(encode_call(call), False, self._sent_by, self._durable_by)
        self._open[call.id] = row
        self._unsaved += 1
        self._rows.put(row)
        return row

    def settle(self, call: Call) -> None:
        row = self._open.pop(call.id, None)
        if row is None:
            log.warning("ledger.outcome_without_row", call_id=str(call.id), status=call.status)
            self.closed.tell(call.id, is_on_record=False)
            return
        payload, has_content = encode_call(call), call.content is not None
        if row.state is RowState.QUEUED:
            row.payload, row.has_content, row.closes = payload, has_content, call.id
            return
        self._unsaved += 1
        if row.state is RowState.FLYING:
            row.outcome = Outcome(call.id, payload, has_content)
        elif row.state is RowState.DURABLE:
            self._outcomes.put(Outcome(call.id, payload, has_content))
        else:
            # Whatever was wrong with the row may be gone; if not, the log shall have its outcome.
            self._put_closed(Outcome(call.id, payload, has_content))

    async def record(self, call: Call) -> None:
        if self._rows.queued >= self._max_queued:
            raise _too_many()
        # Nothing has been promised to the client of a refused call, so it need not wait for long.
        row = LedgerRow(encode_call(call), call.content is not None, self._sent_by, self._sent_by)
        self._unsaved += 1
        self._rows.put(row)
        await row.committed

    async def flush(self, timeout_s: float) -> int:
        if self._unsaved:
            self._all_saved.clear()
            self._set_urgent(True)
            try:
                await asyncio.wait_for(self._all_saved.wait(), timeout_s)
            except TimeoutError:
                log.warning("ledger.not_flushed", rows=self._unsaved)
            finally:
                self._set_urgent(False)
        return self._unsaved

    async def _connect_for_rows(self) -> LedgerConnection[LedgerRow]:
        return await LedgerConnection[LedgerRow].open(
            self._database_url,
            "ledger rows",
            lambda retry, contents: statements.insert(retry=retry, contents=contents),
            lambda _: (self._process,),
        )

    async def _connect_for_outcomes(self) -> LedgerConnection[Outcome]:
        return await LedgerConnection[Outcome].open(
            self._database_url,
            "ledger outcomes",
            lambda _, contents: statements.settle(contents=contents),
            _range_of_ids,
        )

    def _on_rows_durable(self, rows: list[LedgerRow]) -> None:
        for row in rows:
            row.land()
            if row.closes is not None:
                self.closed.tell(row.closes, is_on_record=True)
            if row.outcome is not None:
                self._outcomes.put(row.outcome)
                row.outcome = None
        self._saved(len(rows))

    def _on_row_refused(self, row: LedgerRow, error: Exception) -> None:
        self._lost.refused("ledger.row_refused", row.payload, error)
        row.refuse(LedgerUnavailableError("The call could not be recorded."))
        if row.outcome is not None:
            outcome, row.outcome = row.outcome, None
            self._put_closed(outcome)
        elif row.closes is not None:
            self.closed.tell(row.closes, is_on_record=False)
        self._saved(1)

    def _put_closed(self, outcome: Outcome) -> None:
        """A row with its outcome."""
        row = LedgerRow(outcome.payload, outcome.has_content, self._sent_by, self._durable_by)
        row.closes = outcome.call_id
        self._rows.put(row)

    def _on_outcomes_durable(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self.closed.tell(outcome.call_id, is_on_record=True)
        self._saved(len(outcomes))

    def _on_outcome_refused(self, outcome: Outcome, error: Exception) -> None:
        self._lost.refused("ledger.outcome_refused", outcome.payload, error)
        self.closed.tell(outcome.call_id, is_on_record=False)
        self._saved(1)

    def _saved(self, count: int) -> None:
        self._unsaved -= count
        if not self._unsaved:
            self._all_saved.set()

    def _set_urgent(self, is_urgent: bool) -> None:
        self._rows.set_urgent(is_urgent)
        self._outcomes.set_urgent(is_urgent)


def _range_of_ids(outcomes: Sequence[Outcome]) -> tuple[object, ...]:
    ids = [outcome.call_id.int for outcome in outcomes]
    return UUID(int=min(ids)), UUID(int=max(ids))


def _too_many() -> LedgerUnavailableError:
    return LedgerUnavailableError("Too many calls wait to be recorded.", retry_after=1.0)


def _deadlines(timeout_s: float, message: str) -> Deadlines:
    return Deadlines(timeout_s, partial(LedgerUnavailableError, message, retry_after=1.0))
