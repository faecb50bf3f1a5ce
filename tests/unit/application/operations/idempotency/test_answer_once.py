from typing import Any

import pytest
from structlog.testing import capture_logs

from application.operations.idempotency.answer_once import LARGE_BYTES, AnswerOnce
from application.operations.ports import Sealed
from application.operations.records.error_reporter import ErrorReporter
from domain.operations.idempotency import IdempotentRequest
from domain.operations.idempotency_errors import (
    IdempotencyAnswerLostError,
    IdempotencyInProgressError,
    IdempotencyKeyReusedError,
)
from domain.operations.idempotency_settings import IDEMPOTENCY_HOURS, IDEMPOTENCY_MEGABYTES
from domain.shared.errors import InvalidError, UnavailableError
from tests.builders import TEAM_ID, USER_ID
from tests.fakes.clock import FrozenClock
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.idempotency import InMemoryIdempotentRequests
from tests.fakes.ids import SequentialIds
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.fakes.secret_box import ReversibleSecretBox

HOUR_S = 3600


class AwayRequests(InMemoryIdempotentRequests):
    """Takes claims, and then the database goes away."""

    async def keep(self, request: IdempotentRequest, answer: Sealed | None) -> None:
        raise UnavailableError("away")

    async def release(self, request: IdempotentRequest) -> None:
        raise UnavailableError("away")


class Desk:
    def __init__(self, requests: InMemoryIdempotentRequests, key: str = "key") -> None:
        self.clock = FrozenClock()
        self.settings = InMemoryRuntimeSettings()
        self.errors = RecordingErrorLog()
        self.once = AnswerOnce(
            requests=requests,
            box=ReversibleSecretBox(key),
            settings=self.settings,
            clock=self.clock,
            reporter=ErrorReporter(errors=self.errors, clock=self.clock, ids=SequentialIds()),
        )


@pytest.fixture
def desk() -> Desk:
    return Desk(InMemoryIdempotentRequests())


def a_request(**fields: Any) -> IdempotentRequest:
    defaults: dict[str, Any] = {
        "team_id": TEAM_ID,
        "principal_id": USER_ID,
        "key": "order-1",
        "fingerprint": b"f",
    }
    return IdempotentRequest(**(defaults | fields))


@pytest.mark.parametrize("key", ["", "x" * 256, "k\n", "schl\u00fcssel"])
def test_refuses_a_key_that_is_none(key: str) -> None:
    with pytest.raises(InvalidError) as refused:
        a_request(key=key)

    assert refused.value.param == "Idempotency-Key"


async def test_gives_the_kept_answer_again_to_the_same_request(desk: Desk) -> None:
    first = await desk.once.begin(a_request())
    await desk.once.keep(a_request(), b"\x00answer")

    assert first is None
    assert await desk.once.begin(a_request()) == b"\x00answer"


async def test_refuses_another_request_under_the_same_key(desk: Desk) -> None:
    await desk.once.begin(a_request())
    await desk.once.keep(a_request(), b"answer")

    with pytest.raises(IdempotencyKeyReusedError):
        await desk.once.begin(a_request(fingerprint=b"g"))


async def test_refuses_the_same_request_while_it_is_being_answered(desk: Desk) -> None:
    await desk.once.begin(a_request())

    with pytest.raises(IdempotencyInProgressError):
        await desk.once.begin(a_request())


async def test_says_that_an_answer_was_too_large(desk: Desk) -> None:
    await desk.once.begin(a_request())
    await desk.once.keep(a_request(), None)

    with pytest.raises(IdempotencyAnswerLostError):
        await desk.once.begin(a_request())


async def test_what_came_to_nothing_may_be_tried_again(desk: Desk) -> None:
    await desk.once.begin(a_request())
    await desk.once.release(a_request())

    assert await desk.once.begin(a_request()) is None


async def test_answers_are_kept_for_as_long_as_the_setting_says(desk: Desk) -> None:
    desk.settings.set(IDEMPOTENCY_HOURS, 2)
    await desk.once.begin(a_request())
    await desk.once.keep(a_request(), b"answer")

    desk.clock.advance(2 * HOUR_S - 1)
    kept = await desk.once.begin(a_request())
    purged = await desk.once.purge()
    desk.clock.advance(1)

    assert (kept, purged) == (b"answer", 0)
    assert await desk.once.purge() == 1
    assert await desk.once.begin(a_request()) is None


@pytest.mark.parametrize("answer", [b"answer", None])
async def test_a_failure_to_keep_is_on_record_and_hurts_no_client(answer: bytes | None) -> None:
    desk = Desk(AwayRequests())
    await desk.once.begin(a_request())

    with capture_logs() as logs:
        await desk.once.keep(a_request(), answer)
        await desk.once.release(a_request())

    assert [line["event"] for line in logs] == ["idempotency.not_ended"] * 2
    assert [one.route for one in desk.errors.occurrences] == ["idempotency"] * 2


async def test_a_team_keeps_no_more_answers_than_the_setting_says(desk: Desk) -> None:
    desk.settings.set(IDEMPOTENCY_MEGABYTES, 1)
    for key in ("old", "new"):
        await desk.once.begin(a_request(key=key))
        await desk.once.keep(a_request(key=key), b"x" * 600_000)

    with capture_logs() as logs:
        await desk.once.purge()

    assert await desk.once.begin(a_request(key="new")) == b"x" * 600_000
    with pytest.raises(IdempotencyAnswerLostError):
        await desk.once.begin(a_request(key="old"))
    assert [line["event"] for line in logs] == ["idempotency.answers_trimmed"]


@pytest.mark.parametrize("size", [10, LARGE_BYTES])
async def test_an_answer_of_any_size_is_the_same_when_it_is_given_again(
    desk: Desk, size: int
) -> None:
    await desk.once.begin(a_request())
    await desk.once.keep(a_request(), b"\x00" * size)

    assert await desk.once.begin(a_request()) == b"\x00" * size


async def test_an_answer_that_another_secret_key_sealed_is_lost_and_not_made_again() -> None:
    requests = InMemoryIdempotentRequests()
    before, after = Desk(requests), Desk(requests, key="another")
    await before.once.begin(a_request())
    await before.once.keep(a_request(), b"answer")

    with pytest.raises(IdempotencyAnswerLostError):
        await after.once.begin(a_request())
    assert [one.code for one in after.errors.occurrences] == ["SECRET_UNREADABLE"]
