import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

from adapters.postgres.identity.changes import IdentityChanges
from domain.shared.errors import UnavailableError

CAPACITY = 10_000
UNKNOWN_TTL_S = 5.0
RETRY_S = 0.05

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class LookUpCache(Generic[Key, Found]):
    """Remembers what was looked up for as long as it hears of the changes of those whom it
    concerns, on whatever node they happen. While it does not hear, or the setting
    ``cache_disable_all`` is on, it remembers nothing and looks up each time.

    What is not there is remembered for a moment, so that repeating a wrong credential costs little.
    """

    def __init__(
        self,
        look_up: Callable[[Key], Awaitable[Found | None]],
        concerned: Callable[[Found], Iterable[UUID]],
        changes: IdentityChanges,
        *,
        capacity: int = CAPACITY,
        unknown_ttl_s: float = UNKNOWN_TTL_S,
        patience_s: float = 0.0,
    ) -> None:
        """``concerned`` names the teams and users whose changes matter. ``capacity`` bounds what is
        remembered, and as much that is not there. A look-up waits ``patience_s`` for a database
        that is away, so that its restart costs no call."""
        self._look_up = look_up
        self._concerned = concerned
        self._changes = changes
        self._capacity = capacity
        self._unknown_ttl_s = unknown_ttl_s
        self._patience_s = patience_s
        self._known: OrderedDict[Key, Found] = OrderedDict()
        self._keys_of: defaultdict[str, set[Key]] = defaultdict(set)
        self._unknown: dict[Key, float] = {}
        self._pending: dict[Key, asyncio.Task[Found | None]] = {}
        # A look-up that began before a change must not be remembered after it.
        self._generation = 0
        changes.subscribe(self._forget, self._forget_all)

    async def find(self, key: Key) -> Found | None:
        """Raises ``UnavailableError`` while the database is away and the key is not known."""
        if not self._changes.allow_remembering:
            return await self._fetch_patiently(key)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        if self._unknown.get(key, 0.0) > asyncio.get_running_loop().time():
            return None
        pending = self._pending.get(key)
        if pending is None:
            pending = asyncio.create_task(self._fetch_patiently(key))
            self._pending[key] = pending
            pending.add_done_callback(partial(self._fetched, key))
        # Whoever started it may be cancelled without taking the others along.
        return await asyncio.shield(pending)

    async def _fetch_patiently(self, key: Key) -> Found | None:
        deadline = asyncio.get_running_loop().time() + self._patience_s
        while True:
            try:
                return await self._fetch(key)
            except UnavailableError:
                left = deadline - asyncio.get_running_loop().time()
                # Who listens notices first that the database is back.
                if left < RETRY_S or not await self._changes.are_heard_within(left):
                    raise
                await asyncio.sleep(RETRY_S)

    async def _fetch(self, key: Key) -> Found | None:
        generation = self._generation
        found = await self._look_up(key)
        if self._changes.allow_remembering and generation == self._generation:
            self._remember(key, found)
        return found

    def _remember(self, key: Key, found: Found | None) -> None:
        if found is not None:
            if key in self._known:
                self._drop(key)
            self._known[key] = found
            for concerned in self._concerned(found):
                self._keys_of[str(concerned)].add(key)
            if len(self._known) > self._capacity:
                self._drop(next(iter(self._known)))
            return
        self._unknown.pop(key, None)
        self._unknown[key] = asyncio.get_running_loop().time() + self._unknown_ttl_s
        if len(self._unknown) > self._capacity:
            del self._unknown[next(iter(self._unknown))]

    def _drop(self, key: Key) -> None:
        for concerned in map(str, self._concerned(self._known.pop(key))):
            self._keys_of[concerned].discard(key)
            if not self._keys_of[concerned]:
                del self._keys_of[concerned]

    def _fetched(self, key: Key, task: "asyncio.Task[Found | None]") -> None:
        if self._pending.get(key) is task:
            del self._pending[key]
        if not task.cancelled():
            # Everybody who waited may be gone; then nobody else asks for the error.
            task.exception()

    def _forget(self, changed: str) -> None:
        for key in tuple(self._keys_of.get(changed, ())):
            self._drop(key)
        self._forget_the_rest()

    def _forget_all(self) -> None:
        self._known.clear()
        self._keys_of.clear()
        self._forget_the_rest()

    def _forget_the_rest(self) -> None:
        self._generation += 1
        self._unknown.clear()
        self._pending.clear()
