"""What every audit reader and every record of errors has to keep."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from adapters.postgres.engine import make_engine
from application.operations.records.ports import AuditFilter, ErrorFilter
from application.shared.pagination import PageRequest
from domain.identity.permissions import Permission
from domain.operations.audit import ActorKind, AuditEntry
from domain.operations.errors import ErrorNotFoundError
from domain.operations.technical_error import ErrorGroup, ErrorOccurrence, ErrorState
from domain.shared.errors import InvalidError
from domain.shared.ids import ErrorGroupId, KeyId, TeamId, UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, an_audit_entry, an_occurrence
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.record_stores import (
    SPIKE_THRESHOLD,
    MemoryRecordStore,
    PostgresRecordStore,
    RecordStore,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SOMEBODY = UserId(uuid7_at(START, 90))
SOME_KEY = KeyId(uuid7_at(START, 91))
NO_GROUP = ErrorGroupId(uuid7_at(START, 92))


@pytest.fixture
async def postgres_records(partitioned_url: str) -> AsyncIterator[PostgresRecordStore]:
    engine = make_engine(partitioned_url, pool_size=2, max_overflow=3)
    store = PostgresRecordStore(engine)
    await store.start()
    yield store
    await store.stop()
    await engine.dispose()


@pytest.fixture(params=["memory", "postgres"])
def records(request: pytest.FixtureRequest) -> RecordStore:
    if request.param == "memory":
        return MemoryRecordStore()
    store: RecordStore = request.getfixturevalue("postgres_records")
    return store


async def read(records: RecordStore, where: AuditFilter) -> tuple[AuditEntry, ...]:
    found = await records.audit_reader.list(TEAM_ID, where, cursor=None, limit=100)
    return found.items


async def record(records: RecordStore, *occurrences: ErrorOccurrence) -> None:
    for occurrence in occurrences:
        records.error_log.record(occurrence)
    await records.written()


async def groups(records: RecordStore, where: ErrorFilter | None = None) -> list[ErrorGroup]:
    page = await records.error_reader.list(where or ErrorFilter(), PageRequest())
    return list(page.items)


async def test_an_entry_is_read_as_it_was_written(records: RecordStore) -> None:
    entry = an_audit_entry(
        actor_kind=ActorKind.KEY,
        key_id=SOME_KEY,
        before={"name": "ci", "limits": {"rpm": 3}, "models": ["*"]},
        after=None,
    )
    await records.audit(entry, an_audit_entry(user_id=None, address=None, user_agent=None))

    found = await read(records, AuditFilter())

    assert found[1] == entry
    assert (found[0].user_id, found[0].address, found[0].user_agent) == (None, None, None)


async def test_the_newest_entry_is_first_and_other_teams_have_their_own(
    records: RecordStore,
) -> None:
    entries = [an_audit_entry(at=START + minute * MINUTE) for minute in range(3)]
    await records.audit(entries[2], entries[0], an_audit_entry(team_id=OTHER_TEAM_ID), entries[1])

    assert await read(records, AuditFilter()) == tuple(entries[::-1])


async def test_a_cursor_goes_on_where_the_list_ended(records: RecordStore) -> None:
    entries = [an_audit_entry() for _ in range(5)]
    await records.audit(*entries)
    reader, where = records.audit_reader, AuditFilter()

    first = await reader.list(TEAM_ID, where, cursor=None, limit=2)
    await records.audit(an_audit_entry())
    second = await reader.list(TEAM_ID, where, cursor=first.next_cursor, limit=3)

    assert [*first.items, *second.items] == entries[::-1]
    assert second.next_cursor is None


@pytest.mark.parametrize("cursor", ["", "nonsense", "A" * 400])
async def test_a_foreign_cursor_is_refused(records: RecordStore, cursor: str) -> None:
    with pytest.raises(InvalidError) as error:
        await records.audit_reader.list(TEAM_ID, AuditFilter(), cursor=cursor, limit=1)

    assert error.value.param == "cursor"


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        (AuditFilter(user_id=SOMEBODY), ["by somebody"]),
        (AuditFilter(key_id=SOME_KEY), ["by key"]),
        (AuditFilter(action="key.issued"), ["by key", "by somebody"]),
        (AuditFilter(action="key.*"), ["revoked", "by key", "by somebody"]),
        (AuditFilter(action="key_ring.*"), ["key ring"]),
        (AuditFilter(action="k.*"), []),
        (AuditFilter(action="key.%"), []),
        (AuditFilter(target_type="team"), ["team"]),
        (AuditFilter(target_type="key", target_id="revoked"), ["revoked"]),
        (AuditFilter(since=START + MINUTE, until=START + 3 * MINUTE), ["revoked", "by key"]),
    ],
)
async def test_filters_the_audit_log(
    records: RecordStore, where: AuditFilter, wanted: list[str]
) -> None:
    members: list[dict[str, object]] = [
        {"target_id": "by somebody", "user_id": SOMEBODY},
        {"target_id": "by key", "key_id": SOME_KEY},
        {"target_id": "revoked", "action": "key.revoked"},
        {"target_id": "key ring", "action": "key_ring.made", "target_type": "ring"},
        {"target_id": "team", "action": "team.updated", "target_type": "team"},
    ]
    await records.audit(
        *(an_audit_entry(at=START + n * MINUTE, **given) for n, given in enumerate(members))
    )

    found = await read(records, where)

    assert [entry.target_id for entry in found] == wanted


async def test_an_occurrence_is_found_by_its_id_as_it_was_recorded(records: RecordStore) -> None:
    occurrence = an_occurrence(team_id=None, user_id=None, key_id=None, route=None, method=None)
    other = an_occurrence(fingerprint="other")
    await record(records, occurrence, other)

    found = await records.error_reader.find(occurrence.id)

    assert found.occurrence == occurrence
    [group] = [g for g in await groups(records) if g.fingerprint == occurrence.fingerprint]
    assert found.group == group
    by_group = await records.error_reader.find(group.id)
    assert (by_group.group, by_group.occurrence) == (group, None)


async def test_occurrences_of_one_fingerprint_are_counted_in_one_group(
    records: RecordStore,
) -> None:
    occurrences = [an_occurrence(at=START + n * DAY, message=f"no {n}") for n in range(3)]
    await record(records, occurrences[1])
    await record(records, occurrences[2], occurrences[0])

    [group] = await groups(records)

    assert (group.count, group.message, group.state) == (3, "no 2", ErrorState.OPEN)
    assert (group.first_seen, group.last_seen) == (START, START + 2 * DAY)
    assert await records.error_reader.occurrences(group, limit=2) == tuple(occurrences[:0:-1])


async def test_an_occurrence_that_is_recorded_again_is_not_counted_again(
    records: RecordStore,
) -> None:
    occurrence = an_occurrence()

    await record(records, occurrence)
    await record(records, occurrence, an_occurrence())

    [group] = await groups(records)
    assert group.count == 2


async def test_unknown_errors_are_not_found(records: RecordStore) -> None:
    with pytest.raises(ErrorNotFoundError):
        await records.error_reader.find(UUID(int=5))
    async with records.unit_of_work() as tx:
        with pytest.raises(ErrorNotFoundError):
            await tx.error_groups.get(NO_GROUP)


async def test_lists_groups_by_page_state_code_and_time(records: RecordStore) -> None:
    await record(
        records,
        *(
            an_occurrence(fingerprint=code, code=code, at=START + n * MINUTE)
            for n, code in enumerate(["A", "B", "C"])
        ),
    )
    await _change(records, "B", ErrorState.IGNORED)

    second = await records.error_reader.list(ErrorFilter(), PageRequest(page=2, page_size=2))
    by_code = await groups(records, ErrorFilter(code="C"))
    by_state = await groups(records, ErrorFilter(state=ErrorState.OPEN))
    by_time = await groups(records, ErrorFilter(since=START + MINUTE))

    assert [group.code for group in second.items] == ["A"]
    assert (second.total, second.total_pages) == (3, 2)
    assert [group.code for group in by_code] == ["C"]
    assert [group.code for group in by_state] == ["C", "A"]
    assert [group.code for group in by_time] == ["C", "B"]


async def test_what_is_saved_is_seen_after_the_commit_alone(records: RecordStore) -> None:
    await record(records, an_occurrence())
    [group] = await groups(records)

    async with records.unit_of_work() as tx:
        wanted = await tx.error_groups.get(group.id)
        wanted.change(ErrorState.RESOLVED, at=START + HOUR, by=USER_ID)
        await tx.error_groups.save(wanted)
    [unchanged] = await groups(records)
    await _change(records, group.fingerprint, ErrorState.RESOLVED, at=START + HOUR)

    assert unchanged == group
    [changed] = await groups(records)
    assert (changed.state, changed.resolved_by) == (ErrorState.RESOLVED, USER_ID)
    assert changed.resolved_at == START + HOUR


async def test_a_resolved_group_that_happens_again_reopens_and_operators_hear_of_it(
    records: RecordStore,
) -> None:
    await record(records, an_occurrence())
    await _change(records, "f" * 32, ErrorState.RESOLVED, at=START + MINUTE)

    await record(records, an_occurrence(at=START + 2 * MINUTE))
    await record(records, an_occurrence(at=START + 3 * MINUTE))

    [group] = await groups(records)
    assert (group.state, group.resolved_at) == (ErrorState.OPEN, None)
    data = {"group_id": str(group.id), "code": group.code, "route": group.route, "count": 2}
    assert await records.told() == [("error.regressed", TEAM_ID, data, Permission.READ_ERRORS)]


async def test_an_ignored_group_is_counted_and_nothing_is_told(records: RecordStore) -> None:
    await record(records, an_occurrence())
    await _change(records, "f" * 32, ErrorState.IGNORED)

    await record(records, *(an_occurrence() for _ in range(SPIKE_THRESHOLD)))

    [group] = await groups(records)
    assert (group.count, group.state) == (SPIKE_THRESHOLD + 1, ErrorState.IGNORED)
    assert await records.told() == []


async def test_a_spike_is_told_once_in_an_hour_to_the_teams_of_operators(
    records: RecordStore,
) -> None:
    def burst(at: timedelta) -> list[ErrorOccurrence]:
        return [an_occurrence(at=START + at) for _ in range(SPIKE_THRESHOLD)]

    for at in (timedelta(0), 30 * MINUTE, 61 * MINUTE):
        await record(records, *burst(at))

    [group] = await groups(records)
    told = await records.told()
    assert [kind for kind, *_ in told] == ["error.spiked", "error.spiked"]
    assert {team for _, team, *_ in told} == {TeamId(TEAM_ID)}
    assert told[0][2]["count"] == SPIKE_THRESHOLD
    assert told[0][2]["group_id"] == str(group.id)
    assert told[0][3] is Permission.READ_ERRORS


async def test_errors_that_are_far_between_are_no_spike(records: RecordStore) -> None:
    apart = 5 * MINUTE / (SPIKE_THRESHOLD - 1)

    await record(records, *(an_occurrence(at=START + n * apart) for n in range(10)))

    assert await records.told() == []


async def _change(
    records: RecordStore, fingerprint: str, state: ErrorState, at: datetime = START
) -> None:
    [wanted] = [group for group in await groups(records) if group.fingerprint == fingerprint]
    async with records.unit_of_work() as tx:
        group = await tx.error_groups.get(wanted.id)
        group.change(state, at=at, by=USER_ID)
        await tx.error_groups.save(group)
        await tx.commit()
