import json

import pytest

from application.inference.responses.stream_response import StreamedResponse
from domain.inference.call import CallStatus
from domain.inference.errors import ProviderFailedError
from domain.inference.response_errors import PreviousResponseNotFoundError
from domain.inference.stored_response import ResponseStatus
from domain.shared.errors import UnavailableError
from tests.fakes.gate import Gate, held_at
from tests.unit.application.inference.responses.responses_scene import ResponsesScene
from tests.unit.application.inference.scene import cancelled


async def drained(stream: StreamedResponse) -> list[bytes]:
    try:
        return [block async for block in stream]
    finally:
        await stream.aclose()


async def test_a_stream_is_kept_before_its_last_event_leaves(scene: ResponsesScene) -> None:
    stream = await scene.stream_of(b"Hel", b"lo", b"end")
    blocks = aiter(stream)

    passed = [await anext(blocks), await anext(blocks)]
    before = dict(scene.responses.rows)
    last = json.loads(await anext(blocks))
    await stream.aclose()

    assert passed == [b"Hel", b"lo"]
    assert before == {}
    assert last == {
        "id": scene.stored.name,
        "store": True,
        "status": "completed",
        "output": ["Hel", "lo"],
    }
    assert scene.row.status is CallStatus.SUCCEEDED
    assert stream.source.report is scene.provider.stream.report


async def test_what_was_made_unreadable_on_its_way_is_not_kept(scene: ResponsesScene) -> None:
    scene.blackens("Hi")

    await drained(await scene.stream_of(b"Hello", b"end"))

    assert [item.json for item in scene.stored.input] == ['"[gone]"']


async def test_a_stream_that_is_not_to_be_kept_is_not(scene: ResponsesScene) -> None:
    stream = await scene.stream_of(b"Hello", b"end", store=False)

    _, last = await drained(stream)

    assert json.loads(last)["store"] is False
    assert scene.responses.rows == {}


async def test_what_was_said_is_kept_when_the_client_hangs_up(scene: ResponsesScene) -> None:
    stream = await scene.stream_of(b"Hel", b"lo", b"end")
    blocks = aiter(stream)

    await anext(blocks)
    await stream.aclose()
    await scene.errands.finished()

    assert scene.stored.status is ResponseStatus.CANCELLED
    assert [item.id for item in scene.stored.output] == ["out_Hel"]
    assert scene.row.status is CallStatus.CANCELLED


async def test_what_was_said_is_kept_when_the_task_is_cancelled(scene: ResponsesScene) -> None:
    gate = Gate()
    stream = await scene.stream_of(b"Hel", gate, b"end")

    await cancelled(await held_at(gate, drained(stream)))
    await scene.errands.finished()

    assert scene.stored.status is ResponseStatus.CANCELLED


async def test_what_is_not_to_be_kept_is_not_when_the_client_hangs_up(
    scene: ResponsesScene,
) -> None:
    stream = await scene.stream_of(b"Hel", b"lo", b"end", store=False)
    blocks = aiter(stream)

    await anext(blocks)
    await stream.aclose()
    await scene.errands.finished()

    assert scene.responses.rows == {}


async def test_what_says_nothing_does_not_begin_a_response(scene: ResponsesScene) -> None:
    stream = await scene.stream_of(b"", ProviderFailedError("It broke."))

    with pytest.raises(ProviderFailedError):
        await drained(stream)

    assert scene.responses.rows == {}


async def test_what_never_began_is_not_kept(scene: ResponsesScene) -> None:
    stream = await scene.stream_of(b"Hel", b"end")

    await stream.aclose()
    await scene.errands.finished()

    assert scene.responses.rows == {}


async def test_a_stream_that_fails_tells_so_and_is_kept_as_far_as_it_came(
    scene: ResponsesScene,
) -> None:
    stream = await scene.stream_of(b"Hel", ProviderFailedError("It broke."))
    blocks = aiter(stream)

    await anext(blocks)
    failed = json.loads(await anext(blocks))
    with pytest.raises(ProviderFailedError):
        await anext(blocks)
    await stream.aclose()
    await scene.errands.finished()

    assert failed["status"] == "failed"
    assert scene.stored.status is ResponseStatus.FAILED
    assert scene.row.status is CallStatus.FAILED


async def test_a_stream_that_fails_at_once_only_raises(scene: ResponsesScene) -> None:
    with pytest.raises(ProviderFailedError):
        await scene.stream_of(ProviderFailedError("It broke."))

    assert scene.responses.rows == {}


async def test_a_stream_outlives_a_store_that_fails(scene: ResponsesScene) -> None:
    scene.responses.adding.fail(UnavailableError("The database is away."))
    stream = await scene.stream_of(b"Hello", b"end")

    _, last = await drained(stream)

    assert json.loads(last)["store"] is False
    assert len(scene.errands.failures) == 1
    assert scene.row.status is CallStatus.SUCCEEDED


async def test_a_provider_that_forgets_the_end_is_told_of_as_cut(scene: ResponsesScene) -> None:
    stream = await scene.stream_of(b"Hello")

    _, last = await drained(stream)

    assert json.loads(last)["status"] == "cancelled"


async def test_a_stream_goes_on_from_what_was_said_before(scene: ResponsesScene) -> None:
    scene.says("Hello")
    first = await scene.answer("Before")

    stream = await scene.stream_of(b"Hello", b"end", previous_response_id=first["id"])
    await drained(stream)

    assert scene.sent == ["Before", "Hello", "Hi"]


async def test_an_unknown_response_is_refused_before_the_stream(scene: ResponsesScene) -> None:
    with pytest.raises(PreviousResponseNotFoundError):
        await scene.stream_of(b"end", previous_response_id="resp_x")
