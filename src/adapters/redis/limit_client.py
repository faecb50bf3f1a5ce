from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from adapters.redis.limit_script import MOVE, RENEW
from application.inference.limit_move import LimitMove
from domain.inference.rate import Demand, Limited, Spent

# One for batches, one for leases.
MAX_CONNECTIONS = 2
PREFIX = "stoa:limits"
_STATE_LENGTH = 3


class LimitClient:
    """Redis or Valkey, as limits use it. Its methods raise what the client library raises."""

    def __init__(self, url: str, *, timeout_s: float, lease_s: float) -> None:
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
        self._lease_s = lease_s

    async def stop(self) -> None:
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    async def decide(self, moves: Sequence[LimitMove]) -> None:
        """Let all of them happen, or be refused, one after the other, and tell who waits."""
        keys: list[str] = []
        arguments: list[Any] = [self._lease_s]
        for move in moves:
            demand = move.demand
            arguments += (move.act.value, str(demand.id), len(demand.limited))
            for one in demand.limited:
                keys += (_key(demand, one), _slots_key(demand, one))
                limits = one.limits
                numbers = (limits.rpm, limits.tpm, limits.concurrency)
                arguments += ("" if number is None else number for number in numbers)
                arguments += (move.requests(one), move.tokens(one))
        answers = await self._move(keys=keys, args=arguments)
        for move, (fits, *states) in zip(moves, answers, strict=True):
            move.conclude(fits == 1, _spent(states))

    async def renew(self, place: str, ids: Iterable[UUID]) -> None:
        """Hold the places of that key for another lease."""
        await self._renew(keys=[place], args=[self._lease_s, *map(str, ids)])


def places_of(demand: Demand) -> list[str]:
    """The keys of the places that the demand takes."""
    return [_slots_key(demand, one) for one in demand.limited if one.limits.concurrency is not None]


def _spent(states: Sequence[Any]) -> list[Spent]:
    return [
        Spent(requests=float(states[i]), tokens=float(states[i + 1]), running=int(states[i + 2]))
        for i in range(0, len(states), _STATE_LENGTH)
    ]


def _key(demand: Demand, limited: Limited) -> str:
    subject = limited.subject
    return f"{PREFIX}:{demand.team_id}:{demand.purpose}:{subject.kind}:{subject.id}"


def _slots_key(demand: Demand, limited: Limited) -> str:
    return f"{_key(demand, limited)}:places"
