import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.redis.limit_script import MOVE, RENEW
from application.inference.allowance_ports import RateLimits
from domain.inference.errors import RateLimitedError
from domain.inference.rate import Demand, Limited, Spent, Standings, worst_shortage
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

TIMEOUT_S = 5.0
LEASE_S = 30.0
MAX_CONNECTIONS = 32
PREFIX = "stoa:limits"
_STATE_LENGTH = 3
_AWAY = (RedisError, OSError, TimeoutError)


class RedisRateLimits(RateLimits):
    """Counters in Redis or Valkey, one script for each demand. Places are leases that this process
    renews for as long as it lives."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S, lease_s: float = LEASE_S) -> None:
        # A second attempt is for connections that the server closed while they were idle.
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 1),
            decode_responses=True,
        )
        self._redis = Redis(connection_pool=pool)
        self._move = self._redis.register_script(MOVE)
        self._renew = self._redis.register_script(RENEW)
        self._timeout_s = timeout_s
        self._lease_s = lease_s
        self._held: dict[str, set[UUID]] = {}
        self._giving: set[asyncio.Task[None]] = set()
        self._renewing: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Tell what is still to be told; what is not, ends with its lease."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        if self._giving:
            await asyncio.wait(self._giving)
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    async def take(self, demand: Demand) -> Standings:
        changes = [
            (0 if one.limits.rpm is None else 1, one.reserved(demand.tokens))
            for one in demand.limited
        ]
        taking = asyncio.ensure_future(self._run("take", demand, changes))
        try:
            is_admitted, states = await asyncio.shield(taking)
        except asyncio.CancelledError:
            self._spawn(self._undo(taking, demand))
            raise
        standings = _standings(demand, states)
        if not is_admitted:
            raise RateLimitedError.short_of(worst_shortage(demand, states), standings)
        self._hold(demand)
        return standings

    async def look(self, demand: Demand) -> Standings:
        _, states = await self._run("look", demand, [(0, 0)] * len(demand.limited))
        return _standings(demand, states)

    def settle(self, demand: Demand, tokens: int | None) -> None:
        changes = [(0, one.correction(demand.tokens, tokens)) for one in demand.limited]
        self._let_go(demand)
        if any(one.limits.concurrency for one in demand.limited) or any(
            tokens for _, tokens in changes
        ):
            self._spawn(self._give(demand, changes))

    def release(self, demand: Demand) -> None:
        self._let_go(demand)
        changes = [
            (0 if one.limits.rpm is None else -1, -one.reserved(demand.tokens))
            for one in demand.limited
        ]
        self._spawn(self._give(demand, changes))

    async def _undo(
        self, taking: "asyncio.Future[tuple[bool, list[Spent]]]", demand: Demand
    ) -> None:
        """Nobody waits any more for what is being taken."""
        try:
            is_admitted, _ = await taking
        except UnavailableError as error:
            log.warning("limits.not_undone", reason=error.message)
        else:
            if is_admitted:
                self.release(demand)

    async def _give(self, demand: Demand, changes: list[tuple[int, int]]) -> None:
        try:
            await self._run("give", demand, changes)
        except UnavailableError as error:
            # Tokens grow back, and places end with their lease.
            log.warning("limits.not_given_back", reason=error.message)

    async def _run(
        self, act: str, demand: Demand, changes: list[tuple[int, int]]
    ) -> tuple[bool, list[Spent]]:
        keys: list[str] = []
        arguments: list[Any] = [act, str(demand.id), self._lease_s]
        for one, change in zip(demand.limited, changes, strict=True):
            keys += (_key(demand, one), _slots_key(demand, one))
            limits = one.limits
            numbers = (limits.rpm, limits.tpm, limits.concurrency, *change)
            arguments += ("" if number is None else number for number in numbers)
        try:
            async with asyncio.timeout(self._timeout_s):
                first, *rest = await self._move(keys=keys, args=arguments)
        except _AWAY as error:
            raise UnavailableError(
                "The limits of the caller cannot be counted now.", retry_after=1.0
            ) from error
        states = [
            Spent(requests=float(rest[i]), tokens=float(rest[i + 1]), running=int(rest[i + 2]))
            for i in range(0, len(rest), _STATE_LENGTH)
        ]
        return first == 1, states

    def _hold(self, demand: Demand) -> None:
        for key in _places(demand):
            self._held.setdefault(key, set()).add(demand.id)
            if self._renewing is None:
                self._renewing = asyncio.create_task(self._renew_for_ever())

    def _let_go(self, demand: Demand) -> None:
        for key in _places(demand):
            held = self._held.get(key, set())
            held.discard(demand.id)
            if not held:
                self._held.pop(key, None)

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            for key, ids in list(self._held.items()):
                if not ids:
                    continue
                try:
                    await self._renew(keys=[key], args=[self._lease_s, *map(str, ids)])
                except _AWAY as error:
                    log.warning("limits.not_renewed", error=repr(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._giving.add(task)
        task.add_done_callback(self._giving.discard)


def _standings(demand: Demand, states: list[Spent]) -> Standings:
    return Standings.of(
        (one.limits, spent) for one, spent in zip(demand.limited, states, strict=True)
    )


def _places(demand: Demand) -> list[str]:
    return [_slots_key(demand, one) for one in demand.limited if one.limits.concurrency is not None]


def _key(demand: Demand, limited: Limited) -> str:
    subject = limited.subject
    return f"{PREFIX}:{{{demand.team_id}}}:{demand.purpose}:{subject.kind}:{subject.id}"


def _slots_key(demand: Demand, limited: Limited) -> str:
    return f"{_key(demand, limited)}:places"
