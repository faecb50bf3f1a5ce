"""What every store of requests with idempotency keys has to keep."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.engine import make_engine
from adapters.postgres.inference.process_presence import ProcessPresence
from adapters.postgres.operations.idempotent_requests import PostgresIdempotentRequests
from application.operations.idempotency.ports import IdempotentRequests, KnownRequest
from application.operations.ports import Sealed
from domain.operations.idempotency import IdempotentRequest
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_team
from tests.fakes.clock import START
from tests.fakes.idempotency import InMemoryIdempotentRequests
from tests.fixtures.stores import IdentityStore

LATER = START + timedelta(hours=1)
ANSWER = Sealed(b"sealed")


@pytest.fixture
async def postgres_requests(
    partitioned_url: str, postgres_identity: IdentityStore
) -> AsyncIterator[PostgresIdempotentRequests]:
    await _two_teams(postgres_identity)
    async with another_process(partitioned_url) as requests:
        yield requests


@pytest.fixture(params=["memory", "postgres"])
def requests(request: pytest.FixtureRequest) -> IdempotentRequests:
    if request.param == "memory":
        return InMemoryIdempotentRequests()
    store: IdempotentRequests = request.getfixturevalue("postgres_requests")
    return store


async def _two_teams(identity: IdentityStore) -> None:
    async with identity.unit_of_work() as tx:
        await tx.teams.add(a_team())
        await tx.teams.add(a_team(id=OTHER_TEAM_ID))
        await tx.commit()


def a_request(**fields: Any) -> IdempotentRequest:
    defaults: dict[str, Any] = {
        "team_id": TEAM_ID,
        "principal_id": USER_ID,
        "key": "order-1",
        "fingerprint": b"what is asked",
    }
    return IdempotentRequest(**(defaults | fields))


async def claim(requests: IdempotentRequests, **fields: Any) -> KnownRequest | None:
    return await requests.claim(a_request(**fields), at=START, expires_at=LATER)


async def test_the_first_gets_the_key_and_the_second_finds_it_running(
    requests: IdempotentRequests,
) -> None:
    first = await claim(requests)
    second = await claim(requests, fingerprint=b"something else")

    assert first is None
    assert second == KnownRequest(fingerprint=b"what is asked", is_answered=False)


async def test_the_answer_is_found_again(requests: IdempotentRequests) -> None:
    await claim(requests)

    await requests.keep(a_request(), ANSWER)

    assert await claim(requests) == KnownRequest(
        fingerprint=b"what is asked", is_answered=True, answer=ANSWER
    )


async def test_an_answer_can_be_too_large(requests: IdempotentRequests) -> None:
    await claim(requests)

    await requests.keep(a_request(), None)

    assert await claim(requests) == KnownRequest(fingerprint=b"what is asked", is_answered=True)


@pytest.mark.parametrize(
    "other", [{"team_id": OTHER_TEAM_ID}, {"principal_id": uuid4()}, {"key": "order-2"}]
)
async def test_keys_belong_to_whoever_sends_them(
    requests: IdempotentRequests, other: dict[str, Any]
) -> None:
    await claim(requests)
    await requests.keep(a_request(), ANSWER)

    assert await claim(requests, **other) is None


async def test_a_key_is_free_again_after_its_release(requests: IdempotentRequests) -> None:
    await claim(requests)

    await requests.release(a_request())

    assert await claim(requests) is None


async def test_what_has_expired_stands_in_nobodys_way(requests: IdempotentRequests) -> None:
    await claim(requests)
    await requests.keep(a_request(), ANSWER)

    again = await requests.claim(a_request(), at=LATER, expires_at=LATER + timedelta(hours=1))

    assert again is None


async def test_what_has_expired_is_purged(requests: IdempotentRequests) -> None:
    await claim(requests)
    await claim(requests, key="order-2")
    await requests.claim(
        a_request(key="order-3"), at=START, expires_at=LATER + timedelta(seconds=1)
    )

    assert await requests.purge(LATER) == 2
    assert await requests.purge(LATER) == 0
    assert await claim(requests, key="order-3") is not None


async def test_the_oldest_answers_of_a_team_go_when_they_are_too_many(
    requests: IdempotentRequests,
) -> None:
    for number in range(4):
        at = START + timedelta(seconds=number)
        await requests.claim(a_request(key=f"order-{number}"), at=at, expires_at=LATER)
        await requests.keep(a_request(key=f"order-{number}"), ANSWER)
    await claim(requests, team_id=OTHER_TEAM_ID)
    await requests.keep(a_request(team_id=OTHER_TEAM_ID), ANSWER)

    room = 2 * len(ANSWER.ciphertext) + 1
    trimmed = [await requests.trim(room) for _ in range(2)]

    found = [await claim(requests, key=f"order-{number}") for number in range(4)]
    elsewhere = await claim(requests, team_id=OTHER_TEAM_ID)
    assert trimmed == [2, 0]
    assert [one and one.answer for one in found] == [None, None, ANSWER, ANSWER]
    assert all(one and one.is_answered for one in found)
    assert elsewhere is not None
    assert elsewhere.answer == ANSWER


async def test_one_of_many_that_come_at_once_gets_the_key(requests: IdempotentRequests) -> None:
    found = await asyncio.gather(*(claim(requests) for _ in range(8)))

    assert found.count(None) == 1


@asynccontextmanager
async def another_process(url: str) -> AsyncIterator[PostgresIdempotentRequests]:
    """Dead afterwards."""
    presence = ProcessPresence(url)
    await presence.start()
    engine = make_engine(url)
    yield PostgresIdempotentRequests(engine, process=presence.process)
    await engine.dispose()
    await presence.stop()


async def test_what_a_dead_process_began_stands_in_nobodys_way(
    postgres_requests: PostgresIdempotentRequests, partitioned_url: str
) -> None:
    async with another_process(partitioned_url) as dying:
        await claim(dying)

    assert await claim(postgres_requests) is None
    assert await claim(postgres_requests) is not None


async def test_what_a_dead_process_answered_stays_answered(
    postgres_requests: PostgresIdempotentRequests, partitioned_url: str
) -> None:
    async with another_process(partitioned_url) as dying:
        await claim(dying)
        await dying.keep(a_request(), ANSWER)

    known = await claim(postgres_requests)

    assert known is not None
    assert known.answer == ANSWER


async def test_what_another_living_process_began_is_running(
    postgres_requests: PostgresIdempotentRequests, partitioned_url: str
) -> None:
    async with another_process(partitioned_url) as other:
        await claim(other)

        known = await claim(postgres_requests)

    assert known is not None
    assert not known.is_answered


async def test_a_claim_that_could_not_be_ended_stands_in_nobodys_way(
    postgres_requests: PostgresIdempotentRequests,
) -> None:
    await claim(postgres_requests)
    postgres_requests._running.clear()

    assert await claim(postgres_requests) is None


class LateEngine:
    """An engine whose first transaction is over in the database before its caller hears of it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.is_committed = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self._engine = engine

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        is_first = not self.is_committed.is_set()
        async with self._engine.begin() as connection:
            yield connection
        if is_first:
            self.is_committed.set()
            await self.may_go_on.wait()


async def test_a_claim_is_seen_before_its_process_hears_that_it_is_committed(
    postgres_requests: PostgresIdempotentRequests,
) -> None:
    late = LateEngine(postgres_requests._engine)
    requests = PostgresIdempotentRequests(
        cast("AsyncEngine", late), process=postgres_requests._process
    )
    first = asyncio.create_task(claim(requests))
    await late.is_committed.wait()

    second = await claim(requests)
    late.may_go_on.set()

    assert second == KnownRequest(fingerprint=b"what is asked", is_answered=False)
    assert await first is None


async def test_a_claim_that_nobody_waits_for_any_more_stands_in_nobodys_way(
    postgres_requests: PostgresIdempotentRequests,
) -> None:
    late = LateEngine(postgres_requests._engine)
    requests = PostgresIdempotentRequests(
        cast("AsyncEngine", late), process=postgres_requests._process
    )
    abandoned = asyncio.create_task(claim(requests))
    await late.is_committed.wait()

    abandoned.cancel()
    await asyncio.wait([abandoned])

    assert await claim(requests) is None
