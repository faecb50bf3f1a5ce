"""What a server does again and again in the background."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

Chore = Callable[[], Awaitable[object]]


class Bell:
    """Rings for a chore when there may be something to do."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def heard_within(self, seconds: float) -> None:
        """Returns when it has rung since the last time, or so many seconds later."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()


async def repeat(seconds: float, chore: Chore, reporter: ErrorReporter) -> None:
    """For ever, with pauses of that length."""
    while True:
        await asyncio.sleep(seconds)
        await _is_done(chore, reporter)


async def do_later(seconds: float, chore: Chore, reporter: ErrorReporter) -> None:
    """Once, after that time."""
    await asyncio.sleep(seconds)
    await _is_done(chore, reporter)


async def repeat_when_rung(
    bell: Bell, pause: tuple[float, float], chore: Chore, reporter: ErrorReporter
) -> None:
    """For ever, when the bell rings and now and then without, with the shortest and the longest
    pause between two rounds in seconds."""
    shortest, longest = pause
    while True:
        await bell.heard_within(longest - shortest)
        if not await _is_done(chore, reporter):
            bell.ring()
        await asyncio.sleep(shortest)


async def _is_done(chore: Chore, reporter: ErrorReporter) -> bool:
    try:
        await chore()
    except UnavailableError as error:
        log.warning("chore.postponed", reason=error.message)
        return False
    except Exception as error:
        # What a chore does is never lost by waiting, so the next round tries again.
        log.exception("chore.failed", chore=name_of(chore))
        reporter.report(error, Circumstances(route=f"chore {name_of(chore)}"))
        return False
    return True


def name_of(chore: Chore) -> str:
    """The function or the class that does it."""
    done = chore.func if isinstance(chore, partial) else chore
    return getattr(done, "__qualname__", type(done).__qualname__)
