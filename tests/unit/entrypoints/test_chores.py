import asyncio
from functools import partial

import pytest
from structlog.testing import capture_logs

from application.operations.records.error_reporter import ErrorReporter
from domain.shared.errors import UnavailableError
from entrypoints.chores import Bell, Chore, do_later, name_of, repeat, repeat_when_rung
from tests.fakes.clock import FrozenClock
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.ids import SequentialIds
from tests.fixtures.patience import PATIENCE_S


class Sweeping:
    """Fails with these errors, one after the other, and then is done."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.done = asyncio.Event()

    async def __call__(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.done.set()


async def _until_done(chore: Sweeping) -> RecordingErrorLog:
    log = RecordingErrorLog()
    reporter = ErrorReporter(errors=log, clock=FrozenClock(), ids=SequentialIds())
    running = asyncio.create_task(repeat(0.001, chore, reporter))
    async with asyncio.timeout(PATIENCE_S):
        await chore.done.wait()
    running.cancel()
    return log


async def test_a_failed_chore_is_on_record_and_tried_again() -> None:
    with capture_logs() as logs:
        recorded = await _until_done(Sweeping(ValueError("no broom")))

    [occurrence] = recorded.occurrences
    assert (occurrence.route, occurrence.message) == ("chore Sweeping", "no broom")
    assert [entry["event"] for entry in logs] == ["chore.failed"]


async def test_what_is_done_later_is_done_once_and_its_failure_is_on_record() -> None:
    log = RecordingErrorLog()
    reporter = ErrorReporter(errors=log, clock=FrozenClock(), ids=SequentialIds())
    chore = Sweeping(ValueError("no broom"))

    with capture_logs():
        await do_later(0.001, chore, reporter)

    assert [occurrence.message for occurrence in log.occurrences] == ["no broom"]
    assert not chore.errors
    assert not chore.done.is_set()


async def test_a_chore_that_has_to_wait_is_no_failure() -> None:
    with capture_logs() as logs:
        recorded = await _until_done(Sweeping(UnavailableError("not now")))

    assert recorded.occurrences == []
    assert [entry["event"] for entry in logs] == ["chore.postponed"]


async def test_a_chore_waits_for_its_bell() -> None:
    chore, bell = Sweeping(), Bell()
    reporter = ErrorReporter(errors=RecordingErrorLog(), clock=FrozenClock(), ids=SequentialIds())
    waiting = asyncio.create_task(repeat_when_rung(bell, (0.001, 3600), chore, reporter))
    await asyncio.sleep(0.05)
    was_done = chore.done.is_set()

    bell.ring()

    async with asyncio.timeout(PATIENCE_S):
        await chore.done.wait()
    waiting.cancel()
    assert not was_done


async def test_a_bell_that_rang_before_is_heard() -> None:
    chore, bell = Sweeping(), Bell()
    reporter = ErrorReporter(errors=RecordingErrorLog(), clock=FrozenClock(), ids=SequentialIds())

    bell.ring()
    waiting = asyncio.create_task(repeat_when_rung(bell, (0.001, 3600), chore, reporter))

    async with asyncio.timeout(PATIENCE_S):
        await chore.done.wait()
    waiting.cancel()


@pytest.mark.parametrize("error", [ValueError("no broom"), UnavailableError("not now")])
async def test_a_chore_that_was_not_done_is_tried_again_without_its_bell(error: Exception) -> None:
    chore, bell = Sweeping(error), Bell()
    reporter = ErrorReporter(errors=RecordingErrorLog(), clock=FrozenClock(), ids=SequentialIds())

    bell.ring()
    waiting = asyncio.create_task(repeat_when_rung(bell, (0.001, 3600), chore, reporter))

    async with asyncio.timeout(PATIENCE_S):
        await chore.done.wait()
    waiting.cancel()


async def test_a_chore_comes_round_when_no_bell_rings() -> None:
    chore = Sweeping()
    reporter = ErrorReporter(errors=RecordingErrorLog(), clock=FrozenClock(), ids=SequentialIds())

    waiting = asyncio.create_task(repeat_when_rung(Bell(), (0.001, 0.01), chore, reporter))

    async with asyncio.timeout(PATIENCE_S):
        await chore.done.wait()
    waiting.cancel()


async def _sweep(_floor: str) -> None:
    return None


def test_a_chore_is_called_by_what_it_does() -> None:
    chores: list[Chore] = [Sweeping(), partial(_sweep, "first"), Sweeping().__call__]

    assert [name_of(chore) for chore in chores] == ["Sweeping", "_sweep", "Sweeping.__call__"]
