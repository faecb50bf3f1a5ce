from dataclasses import replace

import pytest

from application.inference.stream_model import MAX_CAPTURED_BYTES
from domain.inference.call import CallContent
from domain.inference.errors import ProviderFailedError
from domain.operations.runtime_settings import CONTENT_CAPTURE
from tests.builders import TEAM_ID
from tests.fakes.providers import DONE
from tests.unit.application.inference.scene import Scene, drained


@pytest.fixture
def capturing(scene: Scene) -> Scene:
    scene.settings.set(CONTENT_CAPTURE, True, TEAM_ID)
    return scene


async def test_contents_are_not_kept_unless_the_team_wants_it(scene: Scene) -> None:
    await scene.invoke()

    assert scene.row.content is None


async def test_contents_of_a_stream_are_not_kept_unless_the_team_wants_it(scene: Scene) -> None:
    await drained(await scene.stream())

    assert scene.row.content is None


async def test_contents_are_kept_for_a_team_that_wants_it(capturing: Scene) -> None:
    await capturing.invoke(body=b"asked")

    assert capturing.row.content == CallContent(request="asked", response='{"choices":[]}')


async def test_the_question_of_a_failed_call_is_kept(capturing: Scene) -> None:
    capturing.provider.working.fail(ProviderFailedError("It broke."))

    with pytest.raises(ProviderFailedError):
        await capturing.invoke(body=b"asked")

    assert capturing.row.content == CallContent(request="asked", response="")


async def test_the_blocks_of_a_stream_are_kept(capturing: Scene) -> None:
    stream = await capturing.streamed(b"data: 1\n\n", DONE, body=b"asked")

    await drained(stream)

    assert capturing.row.content == CallContent(
        request="asked", response="data: 1\n\ndata: [DONE]\n\n"
    )


async def test_what_came_of_a_broken_stream_is_kept(capturing: Scene) -> None:
    broken = ProviderFailedError("It broke.")
    stream = await capturing.streamed(b"data: 1\n\n", broken)

    with pytest.raises(ProviderFailedError):
        await drained(stream)

    assert capturing.row.content is not None
    assert capturing.row.content.response == "data: 1\n\n"


async def test_what_came_before_a_stream_was_left_is_kept(capturing: Scene) -> None:
    stream = await capturing.streamed(b"data: 1\n\n", DONE)
    await anext(aiter(stream))

    await stream.aclose()

    assert capturing.row.content is not None
    assert capturing.row.content.response == "data: 1\n\n"


async def test_a_long_stream_is_kept_up_to_a_limit(capturing: Scene) -> None:
    long = b"x" * MAX_CAPTURED_BYTES
    stream = await capturing.streamed(long, b"too much", DONE)

    blocks = await drained(stream)

    assert blocks == [long, b"too much", DONE]
    assert capturing.row.content is not None
    assert capturing.row.content.response == long.decode()


async def test_bytes_that_are_no_text_are_kept_as_far_as_they_are(capturing: Scene) -> None:
    await capturing.invoke(body=b"caf\xe9")

    assert capturing.row.content is not None
    assert capturing.row.content.request == "caf\N{REPLACEMENT CHARACTER}"


async def test_what_is_no_text_is_not_captured(scene: Scene) -> None:
    scene.settings.set(CONTENT_CAPTURE, True, TEAM_ID)
    scene.provider.answer = replace(scene.provider.answer, content_type="audio/mpeg")

    await scene.invoke(content_type="multipart/form-data; boundary=x")

    assert scene.row.content == CallContent(request="", response="")
