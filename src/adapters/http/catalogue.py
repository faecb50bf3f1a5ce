"""Every error code that Stoa can answer, read off the taxonomy itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import getdoc

# Imported so that their classes are known here.
from adapters.http import errors as http_errors
from adapters.http.kinds import HttpKind, is_functional, kind_of
from domain.identity import errors as identity_errors
from domain.identity.joining import errors as joining_errors
from domain.inference import errors as inference_errors
from domain.inference import response_errors
from domain.models import errors as models_errors
from domain.models.registry import errors as registry_errors
from domain.operations import errors as operations_errors
from domain.operations import idempotency_errors
from domain.shared import errors as shared_errors
from domain.shared.errors import StoaError

SOURCES = (
    shared_errors,
    identity_errors,
    joining_errors,
    inference_errors,
    response_errors,
    models_errors,
    registry_errors,
    operations_errors,
    idempotency_errors,
    http_errors,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEntry:
    """One code; ``error`` is the most special class that carries it."""

    code: str
    error: type[StoaError]

    @property
    def kind(self) -> HttpKind:
        return kind_of(self.error)

    @property
    def functional(self) -> bool:
        return is_functional(self.error)

    @property
    def description(self) -> str:
        return " ".join((getdoc(self.error) or "").split())


def error_classes() -> Iterator[type[StoaError]]:
    """All classes of the taxonomy, ancestors before their descendants."""
    names = {module.__name__ for module in SOURCES}
    pending: list[type[StoaError]] = [StoaError]
    seen: set[type[StoaError]] = set()
    while pending:
        error = pending.pop(0)
        if error not in seen and error.__module__ in names:
            seen.add(error)
            yield error
        pending += error.__subclasses__()


def error_catalogue() -> dict[str, ErrorEntry]:
    """The entries by code, in alphabetical order."""
    found = {error.code: ErrorEntry(code=error.code, error=error) for error in error_classes()}
    return dict(sorted(found.items()))
