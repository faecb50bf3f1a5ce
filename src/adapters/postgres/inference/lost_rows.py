from typing import Any
from uuid import UUID

import structlog

from adapters.postgres.inference.call_json import for_the_log
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from application.shared.actor import Actor
from application.shared.correlation import correlation_id
from domain.inference.errors import LedgerUnavailableError
from domain.shared.ids import KeyId, TeamId, UserId

log = structlog.get_logger()

ROUTE = "ledger"


class LostRows:
    """Says what of the ledger could not be stored: in the log, with all but contents, since that is
    where it can be found again, and among the technical errors."""

    def __init__(self, reporter: ErrorReporter | None) -> None:
        self._reporter = reporter

    def refused(self, event: str, payload: bytes, error: Exception) -> None:
        row = for_the_log(payload)
        log.error(event, error=_reason(error), row=row)
        self._report(error, row)

    def left(self, payload: bytes) -> None:
        """For a row that waited when the process ended."""
        row = for_the_log(payload)
        log.error("ledger.row_lost", row=row)
        lost = LedgerUnavailableError("The process ended before a call could be recorded.")
        self._report(lost, row)

    def _report(self, error: Exception, row: dict[str, Any]) -> None:
        if self._reporter is None:
            return
        user_id, key_id = row["user_id"], row["key_id"]
        caller = Actor(
            team_id=TeamId(UUID(row["team_id"])),
            user_id=UserId(UUID(user_id)) if user_id else None,
            key_id=KeyId(UUID(key_id)) if key_id else None,
        )
        token = correlation_id.set(row["correlation_id"])
        try:
            self._reporter.report(
                error,
                Circumstances(route=ROUTE, actor=caller),
                code=LedgerUnavailableError.code,
            )
        finally:
            correlation_id.reset(token)


def _reason(error: Exception) -> str:
    """What the database said, without the details, which may show the row with its contents."""
    return str(error.args[0]) if error.args else type(error).__name__
