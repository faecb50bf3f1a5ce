from dataclasses import dataclass
from uuid import UUID

from application.operations.records.ports import ErrorReader
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.operations.technical_error import ErrorGroup, ErrorOccurrence

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GetErrorQuery:
    """``wanted`` is the id of a group, or the one that an error answer gave."""

    actor: Actor
    wanted: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetail:
    group: ErrorGroup
    occurrences: tuple[ErrorOccurrence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetError:
    """Shows a group with its latest occurrences. The one that was asked for, if any, is first."""

    reader: ErrorReader

    async def __call__(self, query: GetErrorQuery) -> ErrorDetail:
        query.actor.require(Permission.READ_ERRORS)
        found = await self.reader.find(query.wanted)
        latest = await self.reader.occurrences(found.group, limit=SHOWN)
        if found.occurrence is not None:
            others = tuple(one for one in latest if one.id != found.occurrence.id)
            latest = (found.occurrence, *others)[:SHOWN]
        return ErrorDetail(group=found.group, occurrences=latest)
