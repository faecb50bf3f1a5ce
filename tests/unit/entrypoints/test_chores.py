import asyncio
from functools import partial

from structlog.testing import capture_logs

from application.operations.records.error_reporter import ErrorReporter
from domain.shared.errors import UnavailableError
from entrypoints.chores import Chore, name_of, repeat
from tests.fakes.clock import FrozenClock
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.ids import SequentialIds


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
    async with asyncio.timeout(2):
        await chore.done.wait()
    running.cancel()
    return log


async def test_a_failed_chore_is_on_record_and_tried_again() -> None:
    with capture_logs() as logs:
        recorded = await _until_done(Sweeping(ValueError("no broom")))

    [occurrence] = recorded.occurrences
    assert (occurrence.route, occurrence.message) == ("chore Sweeping", "no broom")
    assert [entry["event"] for entry in logs] == ["chore.failed"]


async def test_a_chore_that_has_to_wait_is_no_failure() -> None:
    with capture_logs() as logs:
        recorded = await _until_done(Sweeping(UnavailableError("not now")))

    assert recorded.occurrences == []
    assert [entry["event"] for entry in logs] == ["chore.postponed"]


async def _sweep(_floor: str) -> None:
    return None


def test_a_chore_is_called_by_what_it_does() -> None:
    chores: list[Chore] = [Sweeping(), partial(_sweep, "first"), Sweeping().__call__]

    assert [name_of(chore) for chore in chores] == ["Sweeping", "_sweep", "Sweeping.__call__"]
