"""What a server does again and again in the background."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

Chore = Callable[[], Awaitable[object]]


async def repeat(seconds: float, chore: Chore, reporter: ErrorReporter) -> None:
    """For ever, with pauses of that length."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await chore()
        except UnavailableError as error:
            log.warning("chore.postponed", reason=error.message)
        except Exception as error:
            # What a chore does is never lost by waiting, so the next round tries again.
            log.exception("chore.failed", chore=name_of(chore))
            reporter.report(error, Circumstances(route=f"chore {name_of(chore)}"))


def name_of(chore: Chore) -> str:
    """The function or the class that does it."""
    done = chore.func if isinstance(chore, partial) else chore
    return getattr(done, "__qualname__", type(done).__qualname__)
