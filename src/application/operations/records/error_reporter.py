from dataclasses import dataclass
from uuid import UUID

import structlog

from application.operations.records.error_description import (
    exception_name,
    fingerprint,
    message_of,
    stack_of,
)
from application.operations.records.ports import ErrorLog
from application.shared.actor import Actor
from application.shared.correlation import correlation_id
from application.shared.ports import Clock, IdGenerator
from domain.operations.technical_error import ErrorOccurrence
from domain.shared.errors import StoaError, TechnicalError
from domain.shared.ids import ErrorId

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Where an error happened, and to whom. ``route`` is the template of a path, or the name of
    what was done in the background. What passes there ``in_the_open`` may be shown to operators;
    prompts may not."""

    route: str | None = None
    method: str | None = None
    actor: Actor | None = None
    in_the_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReporter:
    """Puts technical errors on record, from wherever they happen."""

    errors: ErrorLog
    clock: Clock
    ids: IdGenerator

    def report(
        self,
        error: BaseException,
        circumstances: Circumstances,
        *,
        error_id: UUID | None = None,
        code: str | None = None,
    ) -> None:
        """Never waits and never raises. ``error_id`` is what the client was told; ``code`` is that
        of the answer, where the error has none of its own."""
        try:
            self.errors.record(self._occurrence(error, circumstances, error_id, code))
        except Exception:
            log.exception("errors.not_recorded")

    def _occurrence(
        self,
        error: BaseException,
        circumstances: Circumstances,
        error_id: UUID | None,
        code: str | None,
    ) -> ErrorOccurrence:
        own = error.code if isinstance(error, StoaError) else TechnicalError.code
        actor, in_the_open = circumstances.actor, circumstances.in_the_open
        return ErrorOccurrence(
            id=ErrorId(error_id or self.ids.new()),
            at=self.clock.now(),
            fingerprint=fingerprint(code or own, error, circumstances.route),
            code=code or own,
            exception_type=exception_name(error),
            message=message_of(error, in_the_open=in_the_open),
            stack=stack_of(error, in_the_open=in_the_open),
            route=circumstances.route,
            method=circumstances.method,
            correlation_id=correlation_id.get(),
            team_id=None if actor is None else actor.team_id,
            user_id=None if actor is None else actor.user_id,
            key_id=None if actor is None else actor.key_id,
        )
