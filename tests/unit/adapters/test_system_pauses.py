import asyncio

import pytest

from adapters.system.pauses import SystemPauses

# What a clock may go wrong by.
TOLERANCE_S = 0.002


@pytest.mark.parametrize(("least_s", "most_s"), [(0.05, 0.05), (0.02, 0.04)])
async def test_a_pause_is_never_shorter_than_the_least(least_s: float, most_s: float) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()

    await SystemPauses().pause(least_s, most_s)

    assert loop.time() - started >= least_s - TOLERANCE_S
