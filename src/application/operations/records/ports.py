import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.shared.moments import check_moments
from application.shared.pagination import Page, PageRequest, Slice
from application.shared.ports import UnitOfWork
from domain.operations.audit import AuditEntry
from domain.operations.technical_error import ErrorGroup, ErrorOccurrence, ErrorState
from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import ErrorGroupId, KeyId, TeamId, UserId

_ACTION = re.compile(r"[^*]+?(\.\*)?")
_ANY_VERB = ".*"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """``since`` is inclusive, ``until`` exclusive; what is ``None`` does not restrict. ``action``
    is a whole one (``key.issued``), or all those of a noun (``key.*``).

    Raises ``InvalidError`` for what no audit log can be asked.
    """

    user_id: UserId | None = None
    key_id: KeyId | None = None
    action: str | None = None
    target_type: str | None = None
    target_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        check_moments(since=self.since, until=self.until)
        if self.action is not None and not _ACTION.fullmatch(self.action):
            message = "is an action such as key.issued, or all of a noun: key.*"
            raise InvalidError(
                f"'action' {message}.", param="action", errors=(FieldError("action", message),)
            )

    @property
    def action_prefix(self) -> str | None:
        """``key.`` where all of ``key.*`` are wanted."""
        if self.action is None or not self.action.endswith(_ANY_VERB):
            return None
        return self.action.removesuffix("*")


class AuditReader(Protocol):
    """Reads the audit log, always of one team."""

    async def list(
        self, team_id: TeamId, where: AuditFilter, *, cursor: str | None, limit: int
    ) -> Slice[AuditEntry]:
        """Newest first. Raises ``InvalidError`` for a cursor it did not make."""
        ...


class ErrorLog(Protocol):
    """Takes technical errors in from wherever they happen."""

    def record(self, occurrence: ErrorOccurrence) -> None:
        """Never waits and never raises. What is recorded is written in the background, also after
        the database was away; if too much waits, it is dropped, which is counted and logged."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFilter:
    """Groups of that state and code, that happened at ``since`` or later."""

    state: ErrorState | None = None
    code: str | None = None
    since: datetime | None = None

    def __post_init__(self) -> None:
        check_moments(since=self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundError:
    group: ErrorGroup
    occurrence: ErrorOccurrence | None = None


class ErrorReader(Protocol):
    """Reads the technical errors of the whole server."""

    async def list(self, where: ErrorFilter, page: PageRequest) -> Page[ErrorGroup]:
        """The one that happened last is first."""
        ...

    async def find(self, wanted: UUID) -> FoundError:
        """The group of that id, or the one with the occurrence of that id, and the occurrence.
        Raises ``ErrorNotFoundError``."""
        ...

    async def occurrences(self, group: ErrorGroup, *, limit: int) -> tuple[ErrorOccurrence, ...]:
        """The latest of the group, newest first."""
        ...


class ErrorGroups(Protocol):
    """The groups of technical errors, inside a unit of work."""

    async def get(self, group_id: ErrorGroupId) -> ErrorGroup:
        """Lock the group until the unit of work ends. Raises ``ErrorNotFoundError``."""
        ...

    async def save(self, group: ErrorGroup) -> None: ...


class ErrorsUnitOfWork(UnitOfWork, Protocol):
    @property
    def error_groups(self) -> ErrorGroups: ...
