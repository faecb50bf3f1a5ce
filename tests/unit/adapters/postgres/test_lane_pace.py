import asyncio
from collections.abc import Callable, Sequence

from adapters.postgres.inference.carrier import Carrier, LaneConnection
from adapters.postgres.inference.lane import LONGEST_GAP_S, Lane
from tests.fixtures.patience import PATIENCE_S

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


async def test_a_connection_that_is_never_set_up_is_given_up() -> None:
    written = Written()
    attempts = iter([True, False])
    landed = asyncio.Event()

    async def connect() -> Written:
        if next(attempts):
            await asyncio.Event().wait()
        return written

    carrier = Carrier[Thing](
        name="things",
        connect=connect,
        on_durable=lambda _: None,
        on_refused=lambda _, __: None,
        on_landed=landed.set,
        connect_within_s=0.01,
    )

    carrier.carry([Thing()])
    await asyncio.wait_for(landed.wait(), PATIENCE_S)

    assert [size for _, size in written.batches] == [1]
    await carrier.stop()


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


class HeldUp(Written):
    """Has taken what it was given, and does not say so before it is told to."""

    def __init__(self, landing: asyncio.Event) -> None:
        super().__init__()
        self._landing = landing

    async def write(self, batch: Sequence[Thing], *, is_retry: bool) -> None:
        await super().write(batch, is_retry=is_retry)
        await self._landing.wait()


async def a_lane_of_two(landing: asyncio.Event) -> tuple[Lane[Thing], list[HeldUp]]:
    made: list[HeldUp] = []

    async def connect() -> HeldUp:
        made.append(HeldUp(landing))
        return made[-1]

    lane = Lane[Thing](
        name="things",
        connect=connect,
        on_durable=lambda _: None,
        on_refused=lambda _, __: None,
        gap_s=GAP_S,
        most_carriers=2,
    )
    lane.start()
    await asyncio.sleep(0.01)
    return lane, made


async def test_what_must_leave_does_not_wait_for_a_commit_that_is_held_up() -> None:
    landing = asyncio.Event()
    lane, made = await a_lane_of_two(landing)

    lane.put(Thing())
    lane.put(Thing())
    async with asyncio.timeout(PATIENCE_S):
        while len(made) < 2 or not made[1].batches:
            await asyncio.sleep(GAP_S)

    assert [len(connection.batches) for connection in made] == [1, 1]
    landing.set()
    await lane.stop()


async def test_there_are_no_more_carriers_than_allowed_and_what_they_cannot_take_waits() -> None:
    landing = asyncio.Event()
    lane, made = await a_lane_of_two(landing)
    for expected in (1, 2):
        lane.put(Thing())
        async with asyncio.timeout(PATIENCE_S):
            while sum(len(connection.batches) for connection in made) < expected:
                await asyncio.sleep(GAP_S)
    lane.put(Thing())
    lane.put(Thing())
    await asyncio.sleep(0.02)
    waiting = lane.queued

    landing.set()
    async with asyncio.timeout(PATIENCE_S):
        while lane.queued:
            await asyncio.sleep(GAP_S)

    assert waiting == 2
    assert len(made) == 2
    await lane.stop()


async def test_a_lane_that_is_never_held_up_has_one_connection() -> None:
    landing = asyncio.Event()
    landing.set()
    lane, made = await a_lane_of_two(landing)

    for _ in range(5):
        lane.put(Thing())
        await asyncio.sleep(2 * GAP_S)

    assert len(made) == 1
    await lane.stop()


async def test_what_a_stopped_lane_could_not_write_is_handed_back_from_all_carriers() -> None:
    lane, made = await a_lane_of_two(asyncio.Event())
    for expected in (1, 2):
        lane.put(Thing())
        async with asyncio.timeout(PATIENCE_S):
            while sum(len(connection.batches) for connection in made) < expected:
                await asyncio.sleep(GAP_S)
    lane.put(Thing())

    left = await lane.stop()

    assert len(left) == 3
