from dataclasses import dataclass, field

from application.operations.records.ports import ErrorFilter, ErrorReader
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.permissions import Permission
from domain.operations.technical_error import ErrorGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class ListErrorsQuery:
    actor: Actor
    where: ErrorFilter = field(default_factory=ErrorFilter)
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListErrors:
    """Lists the groups of technical errors of the server; the one that happened last is first."""

    reader: ErrorReader

    async def __call__(self, query: ListErrorsQuery) -> Page[ErrorGroup]:
        query.actor.require(Permission.READ_ERRORS)
        return await self.reader.list(query.where, query.page)
