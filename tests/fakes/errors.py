"""The record of technical errors in memory."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

from application.operations.records.ports import (
    ErrorFilter,
    ErrorGroups,
    ErrorLog,
    ErrorReader,
    ErrorsUnitOfWork,
    FoundError,
)
from application.shared.pagination import Page, PageRequest
from application.shared.ports import IdGenerator
from domain.identity.permissions import Permission
from domain.operations.audit import AuditEntry
from domain.operations.errors import ErrorNotFoundError
from domain.operations.event import Event
from domain.operations.technical_error import ErrorGroup, ErrorOccurrence
from domain.shared.ids import ErrorGroupId, ErrorId, EventId, TeamId
from tests.fakes.records import InMemoryAuditTrail, InMemoryEventLog

WINDOW = timedelta(minutes=5)
SILENCE = timedelta(hours=1)


@dataclass(slots=True)
class InMemoryErrors:
    """What is committed."""

    groups: dict[ErrorGroupId, ErrorGroup] = field(default_factory=dict)
    occurrences: dict[ErrorId, ErrorOccurrence] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def group_with(self, fingerprint: str) -> ErrorGroup | None:
        same = (group for group in self.groups.values() if group.fingerprint == fingerprint)
        return next(same, None)


class InMemoryErrorLog(ErrorLog):
    """Counts at once. Events go to ``teams_of_operators``."""

    def __init__(
        self,
        errors: InMemoryErrors,
        ids: IdGenerator,
        *,
        spike_threshold: int = 20,
        teams_of_operators: tuple[TeamId, ...] = (),
    ) -> None:
        self._errors = errors
        self._ids = ids
        self._threshold = spike_threshold
        self._teams = teams_of_operators

    def record(self, occurrence: ErrorOccurrence) -> None:
        errors = self._errors
        if occurrence.id in errors.occurrences:
            return
        errors.occurrences[occurrence.id] = occurrence
        group = errors.group_with(occurrence.fingerprint)
        if group is None:
            group = ErrorGroup.of(occurrence, ErrorGroupId(self._ids.new()))
            errors.groups[group.id] = group
        if group.happened(occurrence):
            self._tell("error.regressed", group, occurrence, group.count)
        recent = sum(
            one.fingerprint == group.fingerprint and one.at > occurrence.at - WINDOW
            for one in errors.occurrences.values()
        )
        if group.spikes(recent, self._threshold, at=occurrence.at, silence=SILENCE):
            self._tell("error.spiked", group, occurrence, recent)

    def _tell(self, kind: str, group: ErrorGroup, last: ErrorOccurrence, count: int) -> None:
        data = {"group_id": str(group.id), "code": group.code, "route": group.route}
        self._errors.events += [
            Event(
                id=EventId(self._ids.new()),
                team_id=team_id,
                at=last.at,
                type=kind,
                data=data | {"count": count},
                permission=Permission.READ_ERRORS,
            )
            for team_id in self._teams
        ]


class RecordingErrorLog(ErrorLog):
    """Keeps what it is given; ``failure`` is what it raises, against its promise."""

    def __init__(self) -> None:
        self.occurrences: list[ErrorOccurrence] = []
        self.failure: Exception | None = None

    def record(self, occurrence: ErrorOccurrence) -> None:
        if self.failure is not None:
            raise self.failure
        self.occurrences.append(occurrence)


class InMemoryErrorReader(ErrorReader):
    def __init__(self, errors: InMemoryErrors) -> None:
        self._errors = errors

    async def list(self, where: ErrorFilter, page: PageRequest) -> Page[ErrorGroup]:
        found = [
            group
            for group in self._errors.groups.values()
            if where.state in (None, group.state)
            and where.code in (None, group.code)
            and (where.since is None or group.last_seen >= where.since)
        ]
        found.sort(key=lambda group: (group.last_seen, group.id), reverse=True)
        items = found[page.offset : page.offset + page.page_size]
        return Page(
            items=tuple(deepcopy(items)),
            total=len(found),
            page=page.page,
            page_size=page.page_size,
        )

    async def find(self, wanted: UUID) -> FoundError:
        group = self._errors.groups.get(ErrorGroupId(wanted))
        occurrence = self._errors.occurrences.get(ErrorId(wanted))
        if occurrence is not None:
            group = self._errors.group_with(occurrence.fingerprint)
        if group is None:
            raise ErrorNotFoundError
        return FoundError(group=deepcopy(group), occurrence=occurrence)

    async def occurrences(self, group: ErrorGroup, *, limit: int) -> tuple[ErrorOccurrence, ...]:
        everything = self._errors.occurrences.values()
        found = [one for one in everything if one.fingerprint == group.fingerprint]
        return tuple(sorted(found, key=lambda one: one.id, reverse=True)[:limit])


class InMemoryErrorGroups(ErrorGroups):
    def __init__(self, groups: dict[ErrorGroupId, ErrorGroup]) -> None:
        self._groups = groups

    async def get(self, group_id: ErrorGroupId) -> ErrorGroup:
        if group_id not in self._groups:
            raise ErrorNotFoundError
        return deepcopy(self._groups[group_id])

    async def save(self, group: ErrorGroup) -> None:
        self._groups[group.id] = deepcopy(group)


class InMemoryErrorsUnitOfWork(ErrorsUnitOfWork):
    """For one task at a time."""

    def __init__(self, errors: InMemoryErrors) -> None:
        self._errors = errors
        self._written = deepcopy(errors)

    async def __aenter__(self) -> Self:
        self._written = deepcopy(self._errors)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._written = deepcopy(self._errors)

    async def commit(self) -> None:
        self._errors.groups = deepcopy(self._written.groups)
        self._errors.audit = list(self._written.audit)
        self._errors.events = list(self._written.events)

    @property
    def audit(self) -> InMemoryAuditTrail:
        return InMemoryAuditTrail(self._written.audit)

    @property
    def events(self) -> InMemoryEventLog:
        return InMemoryEventLog(self._written.events)

    @property
    def error_groups(self) -> InMemoryErrorGroups:
        return InMemoryErrorGroups(self._written.groups)
