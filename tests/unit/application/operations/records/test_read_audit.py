from datetime import UTC, datetime

import pytest

from application.operations.records.export_audit import CHUNK, ExportAudit, ExportAuditQuery
from application.operations.records.list_audit import ListAudit, ListAuditQuery
from application.operations.records.ports import AuditFilter
from domain.operations.audit import AuditEntry
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import OTHER_TEAM_ID, an_actor, an_audit_entry
from tests.fakes.audit import InMemoryAuditReader

NOBODY = an_actor(permissions=frozenset())


async def test_lists_the_entries_of_the_actors_team() -> None:
    entries = [an_audit_entry(), an_audit_entry(team_id=OTHER_TEAM_ID), an_audit_entry()]
    use_case = ListAudit(reader=InMemoryAuditReader(entries))

    found = await use_case(ListAuditQuery(actor=an_actor(), where=AuditFilter()))

    assert found.items == (entries[2], entries[0])


async def test_the_audit_log_is_for_those_who_may_read_it() -> None:
    reader = InMemoryAuditReader([an_audit_entry()])

    with pytest.raises(ForbiddenError, match=r"audit\.read"):
        await ListAudit(reader=reader)(ListAuditQuery(actor=NOBODY, where=AuditFilter()))
    with pytest.raises(ForbiddenError, match=r"audit\.read"):
        await ExportAudit(reader=reader)(ExportAuditQuery(actor=NOBODY, where=AuditFilter()))

    assert reader.limits == []


@pytest.mark.parametrize("limit", [0, 201])
async def test_a_list_has_a_limit(limit: int) -> None:
    use_case = ListAudit(reader=InMemoryAuditReader([]))

    with pytest.raises(InvalidError, match="limit"):
        await use_case(ListAuditQuery(actor=an_actor(), where=AuditFilter(), limit=limit))


async def test_exports_everything_in_pieces_of_one_size() -> None:
    entries = [an_audit_entry() for _ in range(2 * CHUNK + 1)]
    reader = InMemoryAuditReader(entries)

    pieces = await ExportAudit(reader=reader)(
        ExportAuditQuery(actor=an_actor(), where=AuditFilter())
    )
    sizes: list[int] = []
    exported: list[AuditEntry] = []
    async for piece in pieces:
        sizes.append(len(piece))
        exported += piece

    assert sizes == [CHUNK, CHUNK, 1]
    assert exported == entries[::-1]
    assert reader.limits == [CHUNK] * 3


async def test_an_export_obeys_the_filter() -> None:
    wanted, other = an_audit_entry(action="team.updated"), an_audit_entry()
    where = AuditFilter(action="team.*")

    pieces = await ExportAudit(reader=InMemoryAuditReader([wanted, other]))(
        ExportAuditQuery(actor=an_actor(), where=where)
    )

    assert [piece async for piece in pieces] == [(wanted,)]


@pytest.mark.parametrize("action", ["", "*", ".*", "k*y.issued", "key.**", "*.issued"])
def test_an_action_is_a_whole_one_or_all_of_a_noun(action: str) -> None:
    with pytest.raises(InvalidError) as error:
        AuditFilter(action=action)

    assert error.value.param == "action"


def test_all_actions_of_a_noun_begin_with_it() -> None:
    assert AuditFilter(action="key.*").action_prefix == "key."
    assert AuditFilter(action="key.issued").action_prefix is None
    assert AuditFilter().action_prefix is None


def test_times_beyond_all_calendars_are_refused() -> None:
    long_ago = datetime(1, 1, 1, tzinfo=UTC)

    with pytest.raises(InvalidError, match="since"):
        AuditFilter(since=long_ago)
    with pytest.raises(InvalidError, match="until"):
        AuditFilter(until=long_ago)
