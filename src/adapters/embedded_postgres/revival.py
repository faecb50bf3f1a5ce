import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from adapters.embedded_postgres.postmaster import Postmaster
from domain.shared.errors import StoaError

log = structlog.get_logger()

_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0


async def keep_up(postmaster: Postmaster, relaunch: Callable[[], Awaitable[Postmaster]]) -> None:
    """Whenever the server ends, bring it back, for as long as that takes; until cancelled.

    The pauses grow, also between deaths that follow each other closely.
    """
    pause = _SHORTEST_PAUSE
    while True:
        since = time.monotonic()
        exit_code = await postmaster.ended()
        log.error("postgres.died", exit_code=exit_code, reason=postmaster.last_complaint())
        if time.monotonic() - since > _LONGEST_PAUSE:
            pause = _SHORTEST_PAUSE
        revived = None
        while revived is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                revived = await relaunch()
            except (OSError, StoaError) as error:
                log.error("postgres.not_restarted", reason=str(error), next_try_s=pause)  # noqa: TRY400 - the reason is all there is
        postmaster = revived
        log.warning("postgres.restarted", pid=postmaster.pid)
