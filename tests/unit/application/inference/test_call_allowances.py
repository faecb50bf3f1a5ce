import pytest

from application.inference.ports import ProviderAnswer
from domain.identity.allowance import Allowance, Limits, Subject, SubjectKind
from domain.inference.call import CallStatus
from domain.inference.errors import LedgerUnavailableError, ProviderFailedError
from domain.shared.errors import LimitExceededError, StoaError, UnavailableError
from tests.builders import KEY_ID, an_actor
from tests.fakes.allowances import RecordingCheck
from tests.fakes.gate import held_at
from tests.fakes.providers import DONE, USAGE
from tests.unit.application.inference.scene import Scene, cancelled, drained

LIMITED = an_actor(
    allowances=(Allowance(subject=Subject(SubjectKind.KEY, KEY_ID), limits=Limits(rpm=1)),)
)


async def test_a_caller_without_allowances_asks_nobody() -> None:
    check = RecordingCheck()

    await Scene(check).invoke()

    assert check.requests == []


async def test_the_checks_are_told_what_the_call_may_use() -> None:
    check = RecordingCheck()

    await Scene(check).invoke(actor=LIMITED, body=b"x" * 41, max_output_tokens=50, choices=3)

    [request] = check.requests
    assert (request.estimate.prompt, request.estimate.output) == (11, 150)
    assert request.model.name == "large"


async def test_a_prompt_is_never_guessed_longer_than_the_models_context() -> None:
    check = RecordingCheck()

    await Scene(check).invoke(actor=LIMITED, model="short", body=b"x" * 4000)

    assert check.requests[0].estimate.prompt == 100
    assert check.requests[0].estimate.output is None


async def test_an_answer_settles_what_was_reserved_with_its_usage() -> None:
    checks = RecordingCheck(), RecordingCheck()

    await Scene(*checks).invoke(actor=LIMITED)

    for check in checks:
        [reservation] = check.reservations
        assert reservation.settled is not None
        assert reservation.settled.usage == USAGE


async def test_a_stream_settles_at_its_end() -> None:
    check = RecordingCheck()
    stream = await Scene(check).streamed(b"data: {}\n\n", DONE, actor=LIMITED)

    assert check.reservations[0].is_open

    await drained(stream)

    assert check.reservations[0].settled is not None
    assert check.reservations[0].settled.usage == USAGE


async def test_a_stream_that_is_left_settles_what_came_so_far() -> None:
    check = RecordingCheck()
    stream = await Scene(check).streamed(b"data: {}\n\n", DONE, actor=LIMITED)
    await anext(aiter(stream))

    await stream.aclose()

    settled = check.reservations[0].settled
    assert settled is not None
    assert settled.status is CallStatus.CANCELLED
    assert settled.usage is not None
    assert settled.usage.counted


async def test_a_provider_that_fails_settles() -> None:
    check = RecordingCheck()
    scene = Scene(check)
    scene.provider.working.fail(ProviderFailedError("No."))

    with pytest.raises(ProviderFailedError):
        await scene.invoke(actor=LIMITED)

    assert check.reservations[0].settled is not None
    assert check.reservations[0].settled.status is CallStatus.FAILED


async def test_a_client_that_hangs_up_settles() -> None:
    check = RecordingCheck()
    scene = Scene(check)

    await cancelled(await held_at(scene.provider.working, scene.invoke(actor=LIMITED)))

    assert check.reservations[0].settled is not None
    assert check.reservations[0].settled.status is CallStatus.CANCELLED


async def test_a_row_that_cannot_be_written_settles() -> None:
    check = RecordingCheck()
    scene = Scene(check)
    scene.ledger.sent.fail(LedgerUnavailableError("The ledger is away."))

    with pytest.raises(LedgerUnavailableError):
        await scene.invoke(actor=LIMITED)

    assert check.reservations[0].settled is not None
    assert scene.provider.requests == []


@pytest.mark.parametrize("error", [LimitExceededError("Too much."), UnavailableError("Away.")])
async def test_a_check_that_refuses_makes_a_refused_row_and_releases_the_others(
    error: StoaError,
) -> None:
    first, second = RecordingCheck(), RecordingCheck()
    scene = Scene(first, second)
    second.asked.fail(error)

    with pytest.raises(type(error)):
        await scene.invoke(actor=LIMITED)

    assert first.reservations[0].released
    assert (scene.row.status, scene.row.error_code) == (CallStatus.REFUSED, error.code)
    assert scene.provider.requests == []


async def test_a_client_that_leaves_while_the_checks_are_asked_has_a_row_and_keeps_nothing() -> (
    None
):
    first, second = RecordingCheck(), RecordingCheck()
    scene = Scene(first, second)

    await cancelled(await held_at(second.asked, scene.invoke(actor=LIMITED)))

    assert first.reservations[0].released
    assert scene.row.status is CallStatus.CANCELLED
    assert scene.provider.requests == []


async def test_an_answer_whose_row_never_became_durable_settles_what_it_used() -> None:
    check = RecordingCheck()
    scene = Scene(check)
    scene.provider.answer = ProviderAnswer(body=b"{}", usage=USAGE)
    scene.ledger.committed.fail(LedgerUnavailableError("The ledger is away."))

    with pytest.raises(LedgerUnavailableError):
        await scene.invoke(actor=LIMITED)

    assert check.reservations[0].settled is not None
    assert check.reservations[0].settled.usage == USAGE
