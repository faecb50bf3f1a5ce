import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from adapters.postgres.operations.error_log import MAX_BATCH, BufferedErrorLog
from domain.operations.technical_error import ErrorOccurrence
from domain.shared.errors import UnavailableError
from tests.builders import an_occurrence
from tests.fixtures.patience import PATIENCE_S


class Database:
    """Takes batches, unless it is away or does not like an occurrence."""

    def __init__(self) -> None:
        self.batches: list[list[ErrorOccurrence]] = []
        self.is_away = False
        self.attempts = 0
        self.refused: set[ErrorOccurrence] = set()

    @property
    def stored(self) -> list[ErrorOccurrence]:
        return [occurrence for batch in self.batches for occurrence in batch]

    async def write(self, batch: Sequence[ErrorOccurrence]) -> None:
        self.attempts += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise UnavailableError("The database cannot be reached.")
        if not self.refused.isdisjoint(batch):
            raise ValueError("no partition")
        self.batches.append(list(batch))


async def test_what_is_recorded_before_the_database_is_up_is_written_then() -> None:
    log, database = BufferedErrorLog(), Database()
    occurrences = [an_occurrence() for _ in range(3)]
    for occurrence in occurrences:
        log.record(occurrence)

    log.start(database.write)
    await log.stop()

    assert database.batches == [occurrences]


async def test_many_at_once_become_few_batches() -> None:
    log, database = BufferedErrorLog(), Database()
    log.start(database.write)
    occurrences = [an_occurrence() for _ in range(2 * MAX_BATCH + 1)]

    for occurrence in occurrences:
        log.record(occurrence)
    await log.stop()

    assert [len(batch) for batch in database.batches] == [MAX_BATCH, MAX_BATCH, 1]
    assert database.stored == occurrences


async def test_a_database_that_is_away_loses_nothing() -> None:
    log, database = BufferedErrorLog(), Database()
    database.is_away = True
    log.start(database.write)
    first, second = an_occurrence(), an_occurrence()

    log.record(first)
    while not database.attempts:
        await asyncio.sleep(0.01)
    log.record(second)
    database.is_away = False
    await log.stop()

    assert database.stored == [first, second]


async def test_one_that_cannot_be_stored_takes_no_other_along() -> None:
    log, database = BufferedErrorLog(), Database()
    occurrences = [an_occurrence() for _ in range(3)]
    database.refused = {occurrences[1]}
    log.start(database.write)

    with capture_logs() as logs:
        for occurrence in occurrences:
            log.record(occurrence)
        await log.stop()

    assert database.stored == [occurrences[0], occurrences[2]]
    assert [(entry["event"], entry["error_id"]) for entry in logs] == [
        ("errors.refused", str(occurrences[1].id))
    ]


async def test_what_does_not_fit_is_dropped_counted_and_logged() -> None:
    log, database = BufferedErrorLog(max_queued=2), Database()
    occurrences = [an_occurrence() for _ in range(5)]

    with capture_logs() as logs:
        for occurrence in occurrences:
            log.record(occurrence)
        dropped = log.dropped
        log.start(database.write)
        await log.stop()

    assert database.stored == occurrences[:2]
    assert dropped == 3
    assert [(entry["event"], entry.get("count")) for entry in logs] == [
        ("errors.dropping", None),
        ("errors.dropped", 3),
    ]


async def test_a_stop_does_not_wait_for_ever() -> None:
    log, database = BufferedErrorLog(), Database()
    database.is_away = True
    log.start(database.write)
    log.record(an_occurrence())

    with capture_logs() as logs:
        async with asyncio.timeout(PATIENCE_S):
            await log.stop(timeout_s=0.05)

    assert [(entry["event"], entry["count"]) for entry in logs] == [("errors.lost", 1)]


async def test_a_stop_without_a_start_does_nothing() -> None:
    log = BufferedErrorLog()
    log.record(an_occurrence())

    async with asyncio.timeout(PATIENCE_S):
        await log.stop()


@pytest.mark.parametrize("count", [1, 1000])
async def test_recording_does_not_wait_for_the_database(count: int) -> None:
    log, database = BufferedErrorLog(), Database()
    log.start(database.write)

    for _ in range(count):
        log.record(an_occurrence())

    assert database.attempts == 0
    await log.stop()
    assert len(database.stored) == count
