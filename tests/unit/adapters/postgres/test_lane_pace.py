import asyncio
from collections.abc import Callable, Sequence

from adapters.postgres.inference.lane import LONGEST_GAP_S, Lane, LaneConnection

GAP_S = 0.001


class Thing:
    payload = b""
    has_content = False

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool:
        return False

    def hand_over(self) -> None:
        """Nobody waits."""


class Written(LaneConnection[Thing]):
    """Takes everything at once, and remembers when."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, int]] = []

    @property
    def is_open(self) -> bool:
        return True

    def on_lost(self, call: Callable[[], None]) -> None:
        """It never is."""

    async def write(self, batch: Sequence[Thing], *, is_retry: bool) -> None:
        self.batches.append((asyncio.get_running_loop().time(), len(batch)))

    def terminate(self) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """Nothing to end."""


async def a_lane(written: Written) -> Lane[Thing]:
    async def connect() -> Written:
        return written

    lane = Lane[Thing](
        name="things",
        connect=connect,
        on_durable=lambda _: None,
        on_refused=lambda _, __: None,
        gap_s=GAP_S,
    )
    lane.start()
    await asyncio.sleep(0.01)
    return lane


async def test_what_comes_alone_leaves_at_once() -> None:
    written = Written()
    lane = await a_lane(written)

    for _ in range(3):
        lane.put(Thing())
        await asyncio.sleep(3 * GAP_S)

    assert [size for _, size in written.batches] == [1, 1, 1]
    await lane.stop()


async def test_the_larger_a_batch_was_the_longer_the_next_one_gathers() -> None:
    written = Written()
    lane = await a_lane(written)

    lane.put_all([Thing() for _ in range(3)])
    lane.put(Thing())
    await asyncio.sleep(0.05)

    (first, size), (second, _) = written.batches
    assert size == 3
    assert second - first >= 3 * GAP_S * 0.9
    await lane.stop()


async def test_nothing_waits_longer_than_the_longest_gap_for_company() -> None:
    written = Written()
    lane = await a_lane(written)

    lane.put_all([Thing() for _ in range(200)])
    lane.put(Thing())
    await asyncio.sleep(0)

    await asyncio.sleep(3 * LONGEST_GAP_S)
    assert [size for _, size in written.batches] == [200, 1]
    await lane.stop()


async def test_a_lane_that_is_in_a_hurry_does_not_wait_for_company() -> None:
    written = Written()
    lane = await a_lane(written)
    lane.put_all([Thing() for _ in range(200)])

    lane.set_urgent(True)
    lane.put(Thing())

    assert [size for _, size in written.batches] == [200, 1]
    await lane.stop()
