from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from application.operations.records.change_error_state import (
    ChangeErrorState,
    ChangeErrorStateCommand,
)
from application.operations.records.get_error import SHOWN, GetError, GetErrorQuery
from application.operations.records.list_errors import ListErrors, ListErrorsQuery
from application.operations.records.ports import ErrorFilter
from application.shared.actor import Actor
from application.shared.auditing import Auditor
from application.shared.pagination import PageRequest
from domain.identity.permissions import PERMISSIONS_OF, Permission, Role
from domain.operations.errors import ErrorNotFoundError
from domain.operations.technical_error import ErrorGroup, ErrorState
from domain.shared.errors import ForbiddenError
from tests.builders import USER_ID, an_actor, an_occurrence
from tests.fakes.clock import START, FrozenClock
from tests.fakes.errors import (
    InMemoryErrorLog,
    InMemoryErrorReader,
    InMemoryErrors,
    InMemoryErrorsUnitOfWork,
)
from tests.fakes.ids import SequentialIds

OWNER = an_actor(permissions=PERMISSIONS_OF[Role.OWNER])
READER = an_actor(permissions=frozenset({Permission.READ_ERRORS}))
MINUTE = timedelta(minutes=1)


@dataclass(kw_only=True)
class Desk:
    errors: InMemoryErrors = field(default_factory=InMemoryErrors)
    clock: FrozenClock = field(default_factory=FrozenClock)
    ids: SequentialIds = field(default_factory=SequentialIds)

    def __post_init__(self) -> None:
        self.log = InMemoryErrorLog(self.errors, self.ids)
        reader = InMemoryErrorReader(self.errors)
        self.list = ListErrors(reader=reader)
        self.get = GetError(reader=reader)
        self._change = ChangeErrorState(
            uow=InMemoryErrorsUnitOfWork(self.errors),
            reader=reader,
            auditor=Auditor(clock=self.clock, ids=self.ids),
            clock=self.clock,
        )

    @property
    def group(self) -> ErrorGroup:
        [group] = self.errors.groups.values()
        return group

    async def change(
        self, state: ErrorState, wanted: UUID | None = None, actor: Actor | None = None
    ) -> ErrorGroup:
        return await self._change(
            ChangeErrorStateCommand(
                actor=actor or an_actor(), wanted=wanted or self.group.id, state=state
            )
        )


async def test_the_error_that_happened_last_is_listed_first() -> None:
    desk = Desk()
    for name, minutes in (("a", 1), ("b", 3), ("c", 2)):
        desk.log.record(an_occurrence(fingerprint=name, at=START + minutes * MINUTE))

    page = await desk.list(ListErrorsQuery(actor=READER, page=PageRequest(page_size=2)))

    assert [group.fingerprint for group in page.items] == ["b", "c"]
    assert (page.total, page.total_pages) == (3, 2)


async def test_lists_by_state_code_and_time() -> None:
    desk = Desk()
    desk.log.record(an_occurrence(fingerprint="a", code="A"))
    desk.log.record(an_occurrence(fingerprint="b", code="B", at=START + MINUTE))

    async def found(where: ErrorFilter) -> list[str]:
        page = await desk.list(ListErrorsQuery(actor=READER, where=where))
        return [group.fingerprint for group in page.items]

    assert await found(ErrorFilter(code="A")) == ["a"]
    assert await found(ErrorFilter(since=START + MINUTE)) == ["b"]
    assert await found(ErrorFilter(state=ErrorState.RESOLVED)) == []


async def test_an_error_is_found_by_the_id_of_the_answer() -> None:
    desk = Desk()
    occurrences = [an_occurrence() for _ in range(SHOWN + 5)]
    for occurrence in occurrences:
        desk.log.record(occurrence)

    detail = await desk.get(GetErrorQuery(actor=READER, wanted=occurrences[0].id))

    assert detail.group == desk.group
    assert detail.occurrences == (occurrences[0], *occurrences[:-SHOWN:-1])


async def test_a_group_is_shown_with_its_latest_occurrences() -> None:
    desk = Desk()
    occurrences = [an_occurrence() for _ in range(SHOWN + 5)]
    for occurrence in occurrences:
        desk.log.record(occurrence)

    detail = await desk.get(GetErrorQuery(actor=READER, wanted=desk.group.id))

    assert detail.occurrences == tuple(occurrences[: -SHOWN - 1 : -1])
    assert detail.group.count == SHOWN + 5


async def test_an_unknown_id_is_not_found() -> None:
    desk = Desk()

    with pytest.raises(ErrorNotFoundError):
        await desk.get(GetErrorQuery(actor=READER, wanted=UUID(int=1)))
    with pytest.raises(ErrorNotFoundError):
        await desk.change(ErrorState.RESOLVED, UUID(int=1))


async def test_errors_are_for_operators_alone() -> None:
    desk = Desk()
    desk.log.record(an_occurrence())
    wanted = desk.group.id

    with pytest.raises(ForbiddenError):
        await desk.list(ListErrorsQuery(actor=OWNER))
    with pytest.raises(ForbiddenError):
        await desk.get(GetErrorQuery(actor=OWNER, wanted=wanted))
    for actor in (OWNER, READER):
        with pytest.raises(ForbiddenError):
            await desk.change(ErrorState.IGNORED, actor=actor)

    assert desk.group.state is ErrorState.OPEN


async def test_resolving_is_on_the_audit_log() -> None:
    desk = Desk()
    occurrence = an_occurrence()
    desk.log.record(occurrence)

    group = await desk.change(ErrorState.RESOLVED, occurrence.id)

    assert group == desk.group
    assert (group.state, group.resolved_by) == (ErrorState.RESOLVED, USER_ID)
    assert group.resolved_at == desk.clock.now()
    [entry] = desk.errors.audit
    assert (entry.action, entry.target_type) == ("error.resolved", "error")
    assert entry.target_id == str(group.id)
    assert (entry.before, entry.after) == ({"state": "open"}, {"state": "resolved"})


async def test_a_state_that_is_there_already_is_not_recorded_again() -> None:
    desk = Desk()
    desk.log.record(an_occurrence())

    for state in (ErrorState.OPEN, ErrorState.IGNORED, ErrorState.IGNORED, ErrorState.OPEN):
        await desk.change(state)

    assert [entry.action for entry in desk.errors.audit] == ["error.ignored", "error.reopened"]
