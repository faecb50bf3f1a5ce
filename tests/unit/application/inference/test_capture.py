import pytest

from application.inference.stream_model import MAX_CAPTURED_BYTES
from domain.inference.call import CallContent
from domain.inference.errors import ProviderFailedError
from tests.builders import an_actor
from tests.fakes.providers import DONE
from tests.unit.application.inference.scene import Scene, drained

CAPTURING = an_actor(capture_content=True)


async def test_contents_are_not_kept_unless_the_team_wants_it(scene: Scene) -> None:
    await scene.invoke()

    assert scene.row.content is None


async def test_contents_of_a_stream_are_not_kept_unless_the_team_wants_it(scene: Scene) -> None:
    await drained(await scene.stream())

    assert scene.row.content is None


async def test_contents_are_kept_for_a_team_that_wants_it(scene: Scene) -> None:
    await scene.invoke(actor=CAPTURING, body=b"asked")

    assert scene.row.content == CallContent(request="asked", response='{"choices":[]}')


async def test_the_question_of_a_failed_call_is_kept(scene: Scene) -> None:
    scene.provider.working.fail(ProviderFailedError("It broke."))

    with pytest.raises(ProviderFailedError):
        await scene.invoke(actor=CAPTURING, body=b"asked")

    assert scene.row.content == CallContent(request="asked", response="")


async def test_the_blocks_of_a_stream_are_kept(scene: Scene) -> None:
    stream = await scene.streamed(b"data: 1\n\n", DONE, actor=CAPTURING, body=b"asked")

    await drained(stream)

    assert scene.row.content == CallContent(request="asked", response="data: 1\n\ndata: [DONE]\n\n")


async def test_what_came_of_a_broken_stream_is_kept(scene: Scene) -> None:
    broken = ProviderFailedError("It broke.")
    stream = await scene.streamed(b"data: 1\n\n", broken, actor=CAPTURING)

    with pytest.raises(ProviderFailedError):
        await drained(stream)

    assert scene.row.content is not None
    assert scene.row.content.response == "data: 1\n\n"


async def test_what_came_before_a_stream_was_left_is_kept(scene: Scene) -> None:
    stream = await scene.streamed(b"data: 1\n\n", DONE, actor=CAPTURING)
    await anext(aiter(stream))

    await stream.aclose()

    assert scene.row.content is not None
    assert scene.row.content.response == "data: 1\n\n"


async def test_a_long_stream_is_kept_up_to_a_limit(scene: Scene) -> None:
    long = b"x" * MAX_CAPTURED_BYTES
    stream = await scene.streamed(long, b"too much", DONE, actor=CAPTURING)

    blocks = await drained(stream)

    assert blocks == [long, b"too much", DONE]
    assert scene.row.content is not None
    assert scene.row.content.response == long.decode()


async def test_bytes_that_are_no_text_are_kept_as_far_as_they_are(scene: Scene) -> None:
    await scene.invoke(actor=CAPTURING, body=b"caf\xe9")

    assert scene.row.content is not None
    assert scene.row.content.request == "caf\N{REPLACEMENT CHARACTER}"
