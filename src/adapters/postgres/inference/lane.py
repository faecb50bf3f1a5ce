import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Generic, TypeVar

from adapters.postgres.inference.carrier import Carrier, LaneConnection
from adapters.postgres.inference.ledger_row import Item

ItemT = TypeVar("ItemT", bound=Item)

FULL_BATCH = 256
MAX_BATCH = 1000
MAX_BATCH_BYTES = 8_000_000
# Under load, which is when batches have grown already, they start up to this far apart: what a
# statement costs is shared by more items. That saved a saturated server about 10 % of its time and
# Postgres about 15 %, and changes nothing at 300 calls a second, where every row comes alone.
LONGEST_GAP_S = 0.004


class Lane(Generic[ItemT]):
    """Writes what is queued, in batches.

    The larger a batch was, the longer the next one may gather: nothing waits when there is little
    to do, and batches grow with the load. A lane of one carrier keeps the order of its items. Where
    the order does not matter it may have more: then a batch need not wait until the database has
    the one before, whose commit may be stuck for as long as a disk is busy.
    """

    def __init__(
        self,
        *,
        name: str,
        connect: Callable[[], Awaitable[LaneConnection[ItemT]]],
        on_durable: Callable[[list[ItemT]], None],
        on_refused: Callable[[ItemT, Exception], None],
        gap_s: float,
        linger_s: float = 0.0,
        most_carriers: int = 1,
    ) -> None:
        """Two batches start at least ``gap_s`` for each item of the first apart, as far as
        ``LONGEST_GAP_S`` allows; an item waits ``linger_s`` for company. Carriers beyond the first
        are there from when they would have been needed for the first time."""
        self._new_carrier = partial(
            Carrier[ItemT],
            name=name,
            connect=connect,
            on_durable=on_durable,
            on_refused=on_refused,
            on_landed=self._on_landed,
        )
        self._gap_s = gap_s
        self._linger_s = linger_s
        self._most_carriers = most_carriers
        self._queue: deque[ItemT] = deque()
        self._carriers: list[Carrier[ItemT]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._next_take_off = float("-inf")
        self._is_running = False
        self._is_urgent = False

    def start(self) -> None:
        """Connects in the background, for as long as that takes."""
        self._is_running = True
        self._add_carrier()

    async def stop(self) -> list[ItemT]:
        """Give up, and return what was not written."""
        self._is_running = False
        self._stop_timer()
        left = [item for carrier in self._carriers for item in await carrier.stop()]
        left.extend(self._queue)
        self._carriers.clear()
        self._queue.clear()
        return left

    @property
    def queued(self) -> int:
        return len(self._queue)

    def put(self, item: ItemT) -> None:
        self._queue.append(item)
        self._plan()

    def put_all(self, items: Iterable[ItemT]) -> None:
        """They take off together, as far as one batch holds them."""
        self._queue.extend(items)
        self._plan()

    def set_urgent(self, is_urgent: bool) -> None:
        """Whether to take off without waiting for company."""
        self._is_urgent = is_urgent
        self._plan()

    def _plan(self) -> None:
        """Take off now, or when the time comes, or when a carrier lands."""
        queue = self._queue
        is_urgent = self._is_urgent or len(queue) >= FULL_BATCH
        if not queue or not self._is_running or (self._timer is not None and not is_urgent):
            return
        carrier = self._free_carrier()
        if carrier is None and not self._may_grow():
            return
        now = asyncio.get_running_loop().time()
        at = now + self._linger_s
        if self._next_take_off + LONGEST_GAP_S * len(self._carriers) > now:
            at = max(at, self._next_take_off + self._patience_s())
        if at > now and not is_urgent:
            self._timer = asyncio.get_running_loop().call_at(at, self._on_time)
        elif carrier is None:
            self._add_carrier()
        else:
            self._take_off(carrier, now)

    def _on_time(self) -> None:
        self._timer = None
        carrier = self._free_carrier()
        if carrier is not None:
            self._take_off(carrier, asyncio.get_running_loop().time())
        elif self._may_grow():
            self._add_carrier()

    def _take_off(self, carrier: Carrier[ItemT], now: float) -> None:
        if self._timer is not None:
            self._stop_timer()
        batch = self._next_batch()
        self._next_take_off = now + max(self._gap_s, min(self._gap_s * len(batch), LONGEST_GAP_S))
        carrier.carry(batch)
        if self._queue:
            self._plan()

    def _on_landed(self) -> None:
        if self._queue:
            # What waits for a further carrier need not wait any more.
            self._stop_timer()
            self._plan()

    def _free_carrier(self) -> Carrier[ItemT] | None:
        for carrier in self._carriers:
            if carrier.is_free:
                return carrier
        return None

    def _patience_s(self) -> float:
        """The second carrier takes off as if the first had landed, the others wait longer and
        longer: they have to suffice until the database has got over whatever holds it up."""
        if len(self._carriers) == 1:
            return 0.0
        laden = sum(carrier.is_laden for carrier in self._carriers)
        return LONGEST_GAP_S * max(0, laden - 1)

    def _may_grow(self) -> bool:
        """Not while the last one that was added still connects, or connects again."""
        carriers = self._carriers
        return len(carriers) < self._most_carriers and all(one.is_laden for one in carriers)

    def _add_carrier(self) -> None:
        carrier = self._new_carrier()
        self._carriers.append(carrier)
        carrier.connect()

    def _next_batch(self) -> list[ItemT]:
        queue = self._queue
        batch: list[ItemT] = []
        size = 0
        while queue and len(batch) < MAX_BATCH and size < MAX_BATCH_BYTES:
            item = queue.popleft()
            size += len(item.payload)
            batch.append(item)
        return batch

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
