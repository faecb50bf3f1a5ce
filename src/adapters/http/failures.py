from dataclasses import dataclass
from uuid import UUID

from litestar.types import HTTPScope

from adapters.http.kinds import is_functional
from adapters.http.problems import report
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.shared.errors import StoaError

DATA_PLANE = "/v1/"


@dataclass(frozen=True, slots=True)
class Failures:
    """Logs what requests fail with, and puts what is technical on record."""

    errors: ErrorReporter

    def report(
        self,
        error: StoaError,
        scope: HTTPScope,
        *,
        error_id: UUID | None = None,
        cause: BaseException | None = None,
    ) -> None:
        """``error_id`` is what the answer calls it; ``cause`` is the exception that the error
        stands for, where that is another one."""
        report(error, error_id=error_id, cause=cause)
        if is_functional(type(error)):
            return
        circumstances = Circumstances(
            # The framework leaves the template only where a route matched.
            route=scope.get("path_template"),
            method=scope["method"],
            actor=scope["state"].get("actor"),
            # What calls carry is for nobody's eyes.
            in_the_open=not scope["path"].startswith(DATA_PLANE),
        )
        self.errors.report(cause or error, circumstances, error_id=error_id, code=error.code)
