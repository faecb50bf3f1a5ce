import asyncio
from collections import OrderedDict
from functools import partial

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from adapters.postgres.held_connection import HeldConnection
from adapters.postgres.identity.announcement import CHANNEL
from adapters.postgres.identity.keys import key_of
from adapters.postgres.identity.rows import ApiKeyRow, TeamRow
from application.identity.ports import Credential, Credentials
from domain.shared.errors import UnavailableError

CAPACITY = 10_000
UNKNOWN_TTL_S = 5.0
RETRY_S = 0.05


class CachedCredentials(Credentials):
    """Remembers keys for as long as it hears of their changes, on whatever node they happen. While
    it does not hear, it remembers nothing and asks the database each time.

    Unknown keys are remembered for a moment, so that repeating a wrong one costs little.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        database_url: str,
        *,
        capacity: int = CAPACITY,
        unknown_ttl_s: float = UNKNOWN_TTL_S,
        patience_s: float = 0.0,
    ) -> None:
        """``capacity`` bounds the known keys, and as many unknown ones. A look-up waits
        ``patience_s`` for a database that is away, so that its restart costs no call."""
        self._sessions = sessions
        self._capacity = capacity
        self._unknown_ttl_s = unknown_ttl_s
        self._patience_s = patience_s
        self._known: OrderedDict[bytes, Credential] = OrderedDict()
        self._unknown: dict[bytes, float] = {}
        self._pending: dict[bytes, asyncio.Task[Credential | None]] = {}
        # A look-up that began before a change must not be remembered after it.
        self._generation = 0
        self._session = HeldConnection(
            database_url,
            purpose="credentials",
            on_connected=self._listen,
            on_lost=self._forget_all,
        )

    @property
    def is_listening(self) -> bool:
        return self._session.is_held

    async def start(self) -> None:
        await self._session.start()

    async def stop(self) -> None:
        await self._session.stop()

    async def find(self, secret_hash: bytes) -> Credential | None:
        if not self._session.is_held:
            return await self._fetch_patiently(secret_hash)
        known = self._known.get(secret_hash)
        if known is not None:
            self._known.move_to_end(secret_hash)
            return known
        if self._unknown.get(secret_hash, 0.0) > asyncio.get_running_loop().time():
            return None
        pending = self._pending.get(secret_hash)
        if pending is None:
            pending = asyncio.create_task(self._fetch_patiently(secret_hash))
            self._pending[secret_hash] = pending
            pending.add_done_callback(partial(self._fetched, secret_hash))
        # Whoever started it may be cancelled without taking the others along.
        return await asyncio.shield(pending)

    async def _fetch_patiently(self, secret_hash: bytes) -> Credential | None:
        deadline = asyncio.get_running_loop().time() + self._patience_s
        while True:
            try:
                return await self._fetch(secret_hash)
            except UnavailableError:
                left = deadline - asyncio.get_running_loop().time()
                # The session notices first that the database is back.
                if left < RETRY_S or not await self._session.is_held_within(left):
                    raise
                await asyncio.sleep(RETRY_S)

    async def _fetch(self, secret_hash: bytes) -> Credential | None:
        generation = self._generation
        with translated():
            async with self._sessions() as session:
                found = (
                    await session.execute(
                        select(ApiKeyRow, TeamRow.capture_content)
                        .join(TeamRow, TeamRow.id == ApiKeyRow.team_id)
                        .where(ApiKeyRow.secret_hash == secret_hash)
                    )
                ).first()
        credential = (
            None if found is None else Credential(key=key_of(found[0]), capture_content=found[1])
        )
        if self._session.is_held and generation == self._generation:
            self._remember(secret_hash, credential)
        return credential

    def _remember(self, secret_hash: bytes, credential: Credential | None) -> None:
        if credential is not None:
            self._known[secret_hash] = credential
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)
            return
        self._unknown.pop(secret_hash, None)
        self._unknown[secret_hash] = asyncio.get_running_loop().time() + self._unknown_ttl_s
        if len(self._unknown) > self._capacity:
            del self._unknown[next(iter(self._unknown))]

    def _fetched(self, secret_hash: bytes, task: "asyncio.Task[Credential | None]") -> None:
        if self._pending.get(secret_hash) is task:
            del self._pending[secret_hash]
        if not task.cancelled():
            # Everybody who waited may be gone; then nobody else asks for the error.
            task.exception()

    async def _listen(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(CHANNEL, self._on_change)
        self._forget_all()

    def _on_change(self, _connection: object, _pid: int, _channel: str, team_id: object) -> None:
        self._known = OrderedDict(
            (secret_hash, credential)
            for secret_hash, credential in self._known.items()
            if str(credential.key.team_id) != team_id
        )
        self._forget_the_rest()

    def _forget_all(self) -> None:
        self._known.clear()
        self._forget_the_rest()

    def _forget_the_rest(self) -> None:
        self._generation += 1
        self._unknown.clear()
        self._pending.clear()
