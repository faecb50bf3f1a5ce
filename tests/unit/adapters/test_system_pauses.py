import asyncio

import pytest

from adapters.system.pauses import SystemPauses

# What a clock may go wrong by.
TOLERANCE_S = 0.002


@pytest.mark.parametrize(("jitter", "shortest"), [(0.0, 0.05), (0.5, 0.025)])
async def test_a_pause_is_shorter_than_asked_for_only_by_chance(
    jitter: float, shortest: float
) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()

    await SystemPauses().pause(0.05, jitter=jitter)

    assert loop.time() - started >= shortest - TOLERANCE_S
