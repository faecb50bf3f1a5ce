from collections.abc import Callable

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.held_connection import HeldConnection
from adapters.postgres.identity.announcement import CHANNEL, tell_first


class IdentityChanges:
    """Tells what listens in this process which team or user has changed, on whatever node, and when
    it may have missed something."""

    def __init__(
        self,
        database_url: str,
        sessions: async_sessionmaker[AsyncSession] | None = None,
        *,
        is_caching_disabled: Callable[[], bool] = lambda: False,
    ) -> None:
        """What ``sessions`` commit is told at once, everything else when the database tells it."""
        self._is_caching_disabled = is_caching_disabled
        self._on_change: list[Callable[[str], None]] = []
        self._on_gap: list[Callable[[], None]] = []
        self._session = HeldConnection(
            database_url,
            purpose="credentials",
            on_connected=self._listen,
            on_lost=self._tell_gap,
        )
        if sessions is not None:
            tell_first(sessions, self._tell)

    @property
    def are_heard(self) -> bool:
        return self._session.is_held

    @property
    def allow_remembering(self) -> bool:
        """Whether what was looked up may be relied on for as long as no change is told."""
        return self._session.is_held and not self._is_caching_disabled()

    async def are_heard_within(self, timeout_s: float) -> bool:
        """Wait until changes are heard, for so long at most."""
        return await self._session.is_held_within(timeout_s)

    def subscribe(self, on_change: Callable[[str], None], on_gap: Callable[[], None]) -> None:
        """``on_change`` gets the id of a team or a user; after ``on_gap`` nothing that was known
        before may be relied on."""
        self._on_change.append(on_change)
        self._on_gap.append(on_gap)

    async def start(self) -> None:
        await self._session.start()

    async def stop(self) -> None:
        await self._session.stop()

    async def _listen(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(CHANNEL, self._heard)
        self._tell_gap()

    def _heard(self, _connection: object, _pid: int, _channel: str, changed: object) -> None:
        self._tell(str(changed))

    def _tell(self, changed: str) -> None:
        for tell in self._on_change:
            tell(changed)

    def _tell_gap(self) -> None:
        for tell in self._on_gap:
            tell()
