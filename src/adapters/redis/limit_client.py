from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from adapters.redis.limit_script import MOVE, RENEW
from application.inference.limits.limit_move import LimitMove
from application.inference.limits.tally import CounterKey, Tally
from domain.identity.allowance import Limits
from domain.inference.rate import Demand, Spent

# One thing after the other: a lease that is renewed late must not outlive what was given back.
MAX_CONNECTIONS = 1
PREFIX = "stoa:limits"
_STATE_LENGTH = 3

# The keys of a counter with its limits, and by how much its requests and tokens change.
_Change = tuple[CounterKey, Limits, int, int]
_Item = tuple[str, str, Sequence[_Change]]
Hear = Callable[[CounterKey, Limits, Spent], None]


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

    async def decide(
        self, tallies: Sequence[Tally], moves: Sequence[LimitMove], hear: Hear
    ) -> None:
        """Count what has happened, let the moves happen or be refused, one after the other, and
        tell who waits. ``hear`` gets the news of all counters."""
        items = [item for tally in tallies for item in _of_tally(tally)]
        first_move = len(items)
        items += map(_of_move, moves)
        keys: list[str] = []
        arguments: list[Any] = [self._lease_s]
        for act, place, changes in items:
            arguments += (act, place, len(changes))
            for key, limits, requests, tokens in changes:
                name = _name(key)
                keys += (name, _places(name))
                numbers = (limits.rpm, limits.tpm, limits.concurrency)
                arguments += ("" if number is None else number for number in numbers)
                arguments += (requests, tokens)
        answers = await self._move(keys=keys, args=arguments)
        states = [_spent(answer[1:]) for answer in answers]
        for (_, _, changes), spent in zip(items, states, strict=True):
            for (key, limits, _, _), one in zip(changes, spent, strict=True):
                hear(key, limits, one)
        for move, answer, spent in zip(
            moves, answers[first_move:], states[first_move:], strict=True
        ):
            move.conclude(answer[0] == 1, spent)

    async def renew(self, place: str, ids: Iterable[UUID]) -> None:
        """Hold the places of that key for another lease."""
        await self._renew(keys=[place], args=[self._lease_s, *map(str, ids)])


def places_of(demand: Demand) -> list[str]:
    """The keys of the places that the demand takes."""
    return [
        _places(_name((demand.team_id, demand.purpose, one.subject)))
        for one in demand.limited
        if one.limits.concurrency is not None
    ]


def _of_move(move: LimitMove) -> _Item:
    demand = move.demand
    changes = [
        (
            (demand.team_id, demand.purpose, one.subject),
            one.limits,
            move.requests(one),
            move.tokens(one),
        )
        for one in demand.limited
    ]
    return move.act.value, str(demand.id), changes


def _of_tally(tally: Tally) -> Iterator[_Item]:
    key, limits = tally.key, tally.limits
    if tally.back_requests or tally.back_tokens:
        yield "tell", "", [(key, limits, -tally.back_requests, -tally.back_tokens)]
    yield "tell", "", [(key, limits, tally.requests, tally.tokens)]
    for place in tally.places:
        yield "count", str(place), [(key, limits, 0, 0)]
    for place in tally.freed:
        yield "tell", str(place), [(key, limits, 0, 0)]


def _spent(states: Sequence[Any]) -> list[Spent]:
    return [
        Spent(requests=float(states[i]), tokens=float(states[i + 1]), running=int(states[i + 2]))
        for i in range(0, len(states), _STATE_LENGTH)
    ]


def _name(key: CounterKey) -> str:
    team_id, purpose, subject = key
    return f"{PREFIX}:{team_id}:{purpose}:{subject.kind}:{subject.id}"


def _places(name: str) -> str:
    return f"{name}:places"
