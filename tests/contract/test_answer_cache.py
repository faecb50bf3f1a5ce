"""What every cache of answers has to keep."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.postgres.engine import make_engine
from adapters.postgres.inference import answer_cache
from adapters.postgres.inference.answer_cache import MOST_UNWRITTEN_BYTES, PostgresAnswerCache
from application.inference.keeping.ports import (
    AnswerCache,
    AnswerToKeep,
    KeptAnswer,
    Meaning,
    Moment,
)
from domain.shared.errors import UnavailableError
from domain.shared.ids import TeamId
from domain.shared.usage import Usage
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_team
from tests.fakes.answer_cache import InMemoryAnswerCache
from tests.fakes.clock import START
from tests.fakes.errands import PromptErrands, WaitingErrands
from tests.fixtures.stores import PostgresIdentityStore

KEY, OTHER_KEY = b"\x00" * 32, b"\xff" * 32
SCOPE = b"scope"
MOST = 6
LATER = START + timedelta(seconds=59)
NOW = Moment(LATER, START)


@pytest.fixture
def memory_answers() -> AnswerCache:
    return InMemoryAnswerCache(most_of_team=MOST)


@pytest.fixture
async def postgres_answers(postgres_identity: PostgresIdentityStore) -> AsyncIterator[AnswerCache]:
    async with postgres_identity.unit_of_work() as tx:
        await tx.teams.add(a_team())
        await tx.teams.add(a_team(id=OTHER_TEAM_ID))
        await tx.commit()
    errands = PromptErrands()
    yield PostgresAnswerCache(
        postgres_identity.engine, errands, uses_extension=False, most_of_team=MOST
    )
    await errands.finished()


@pytest.fixture
async def extended_answers(
    postgres_identity: PostgresIdentityStore, postgres_answers: AnswerCache
) -> AsyncIterator[AnswerCache]:
    del postgres_answers
    errands = PromptErrands()
    cache = PostgresAnswerCache(postgres_identity.engine, errands, most_of_team=MOST)
    async with postgres_identity.engine.connect() as connection:
        if not await connection.scalar(answer_cache._HAS_EXTENSION):
            pytest.skip("this database has no extension for vectors")
    yield cache
    await errands.finished()


@pytest.fixture(params=["memory", "postgres", "extended"])
def cache(request: pytest.FixtureRequest) -> AnswerCache:
    found: AnswerCache = request.getfixturevalue(f"{request.param}_answers")
    return found


def an_answer(**fields: Any) -> KeptAnswer:
    defaults: dict[str, Any] = {
        "blocks": (b"data: \x00\xff\n\n", b"data: [DONE]\n\n"),
        "content_type": "text/event-stream",
        "usage": Usage(prompt_tokens=3, completion_tokens=5, seconds=Decimal("1.5")),
        "model": "small",
        "finish_reason": "stop",
        "worth": Decimal("0.000123"),
        "kept_at": START,
    }
    return KeptAnswer(**(defaults | fields))


def to_keep(**fields: Any) -> AnswerToKeep:
    defaults: dict[str, Any] = {
        "team_id": TEAM_ID,
        "key": KEY,
        "answer": an_answer(),
        "expires_at": START + timedelta(seconds=60),
    }
    return AnswerToKeep(**(defaults | fields))


async def kept(cache: AnswerCache, *answers: AnswerToKeep) -> None:
    """Returns when they are where a restart finds them."""
    for one in answers:
        cache.keep(one)
    for task in asyncio.all_tasks():
        if task.get_name() == "keep answer":
            await task


async def found_in(
    cache: AnswerCache, team_id: TeamId, key: bytes, moment: Moment = NOW
) -> KeptAnswer | None:
    found = await cache.find(team_id, [key], moment)
    return None if found is None else found[1]


@pytest.mark.parametrize(
    "answer", [an_answer(), an_answer(worth=None, finish_reason=None, blocks=(b"{}",))]
)
async def test_finds_what_was_kept(cache: AnswerCache, answer: KeptAnswer) -> None:
    await kept(cache, to_keep(answer=answer))

    assert await found_in(cache, TEAM_ID, KEY) == answer


async def test_finds_at_once_what_is_not_stored_yet(cache: AnswerCache) -> None:
    cache.keep(to_keep())

    found = await found_in(cache, TEAM_ID, KEY)

    assert found == an_answer()


@pytest.mark.parametrize("is_written", [True, False])
async def test_of_several_keys_the_first_one_counts(
    cache: AnswerCache, *, is_written: bool
) -> None:
    other = an_answer(model="other")
    for one in (to_keep(key=OTHER_KEY, answer=other), to_keep()):
        cache.keep(one)
    if is_written:
        await kept(cache)

    assert await cache.find(TEAM_ID, [KEY, OTHER_KEY], NOW) == (KEY, an_answer())
    assert await cache.find(TEAM_ID, [b"1", OTHER_KEY, KEY], NOW) == (OTHER_KEY, other)
    assert await cache.find(TEAM_ID, [b"1", b"2"], NOW) is None


@pytest.mark.parametrize("is_written", [True, False])
async def test_what_is_too_old_for_somebody_is_not_found(
    cache: AnswerCache, *, is_written: bool
) -> None:
    meaning = Meaning(scope=SCOPE, vector=(1.0, 0.0))
    cache.keep(to_keep(meaning=meaning))
    if is_written:
        await kept(cache)
    too_old, old = START + timedelta(seconds=1), START

    assert await found_in(cache, TEAM_ID, KEY, Moment(LATER, too_old)) is None
    assert await found_in(cache, TEAM_ID, KEY, Moment(LATER, old)) == an_answer()
    assert await cache.nearest(TEAM_ID, meaning, Moment(LATER, too_old)) is None


async def test_another_team_and_another_question_find_nothing(cache: AnswerCache) -> None:
    await kept(cache, to_keep(meaning=Meaning(scope=SCOPE, vector=(1.0, 0.0))))

    assert await found_in(cache, OTHER_TEAM_ID, KEY) is None
    assert await found_in(cache, TEAM_ID, OTHER_KEY) is None
    meaning = Meaning(scope=SCOPE, vector=(1.0, 0.0))
    assert await cache.nearest(OTHER_TEAM_ID, meaning, NOW) is None


async def test_what_has_expired_is_found_no_more(cache: AnswerCache) -> None:
    await kept(cache, to_keep(meaning=Meaning(scope=SCOPE, vector=(1.0, 0.0))))
    then = START + timedelta(seconds=60)

    assert await found_in(cache, TEAM_ID, KEY, Moment(then, START)) is None
    meaning = Meaning(scope=SCOPE, vector=(1.0, 0.0))
    assert await cache.nearest(TEAM_ID, meaning, Moment(then, START)) is None


async def test_a_later_answer_takes_the_place_of_an_earlier_one(cache: AnswerCache) -> None:
    await kept(cache, to_keep())
    await kept(cache, to_keep(answer=an_answer(model="large")))

    found = await found_in(cache, TEAM_ID, KEY)

    assert found == an_answer(model="large")


async def test_tidying_up_removes_what_has_expired(cache: AnswerCache) -> None:
    longer = to_keep(key=OTHER_KEY, expires_at=START + timedelta(seconds=90))
    await kept(cache, to_keep(), longer)

    removed = await cache.purge(START + timedelta(seconds=60))

    assert removed == 1
    assert await found_in(cache, TEAM_ID, OTHER_KEY) == an_answer()


async def test_tidying_up_removes_the_oldest_of_a_team_that_keeps_too_many(
    cache: AnswerCache,
) -> None:
    times = [START + timedelta(seconds=n) for n in range(MOST + 2)]
    own = [to_keep(key=bytes([n]), answer=an_answer(kept_at=at)) for n, at in enumerate(times)]
    await kept(cache, *own, to_keep(team_id=OTHER_TEAM_ID))

    removed = await cache.purge(LATER)

    found = [await found_in(cache, TEAM_ID, one.key) is not None for one in own]
    assert (removed, found) == (2, [False, False, *[True] * MOST])
    assert await found_in(cache, OTHER_TEAM_ID, KEY) is not None


async def test_a_database_that_is_away_is_told_as_that() -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/nowhere")
    cache = PostgresAnswerCache(engine, PromptErrands(), uses_extension=False)

    with pytest.raises(UnavailableError):
        await found_in(cache, TEAM_ID, KEY)
    await kept(cache, to_keep())

    meaning = Meaning(scope=SCOPE, vector=(1.0,))
    for one in (cache, PostgresAnswerCache(engine, PromptErrands())):
        with pytest.raises(UnavailableError):
            await one.nearest(TEAM_ID, meaning, NOW)
    with pytest.raises(UnavailableError):
        await found_in(cache, TEAM_ID, KEY)
    await engine.dispose()


async def test_finds_the_nearest_question_of_the_same_scope(cache: AnswerCache) -> None:
    near = to_keep(answer=an_answer(model="near"), meaning=Meaning(scope=SCOPE, vector=(0.8, 0.6)))
    far = to_keep(key=OTHER_KEY, meaning=Meaning(scope=SCOPE, vector=(0.0, 1.0)))
    other_scope = to_keep(key=b"3", meaning=Meaning(scope=b"other", vector=(1.0, 0.0)))
    other_model = to_keep(key=b"4", meaning=Meaning(scope=SCOPE, vector=(1.0, 0.0, 0.0)))
    await kept(cache, near, far, other_scope, other_model, to_keep(key=b"5"))

    found = await cache.nearest(TEAM_ID, Meaning(scope=SCOPE, vector=(1.0, 0.0)), NOW)

    assert found is not None
    assert found.answer == an_answer(model="near")
    assert found.similarity == pytest.approx(0.8, abs=1e-6)


async def test_what_waits_to_be_written_is_bounded(
    postgres_identity: PostgresIdentityStore,
) -> None:
    errands = WaitingErrands()
    cache = PostgresAnswerCache(postgres_identity.engine, errands, uses_extension=False)
    large = an_answer(blocks=(b"x" * 1_000_000,))

    for number in range(40):
        cache.keep(to_keep(key=bytes([number]), answer=large))

    assert len(errands.waiting) == MOST_UNWRITTEN_BYTES // 1_000_000
