import pytest

from domain.inference.errors import ProviderFailedError
from entrypoints.cli.chat_answer import ChatAnswer

STREAM = (
    b": ping\n\n"
    b'data: {"id":"c-1","choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
    b'data: {"id":"c-1","choices":[{"delta":{"content":"Hel"}}]}\n\n'
    b'data: {"id":"c-1","choices":[{"delta":{"content":"lo"},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c-1","choices":[],"usage":{"total_tokens":5}}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_stream_is_understood_however_it_is_cut(size: int) -> None:
    answer = ChatAnswer()

    blocks = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    pieces = [piece for block in blocks for piece in answer.take_block(block)]

    assert pieces == ["Hel", "lo"]
    assert answer.text == "Hello"
    assert (answer.id, answer.finish_reason) == ("c-1", "stop")
    assert answer.usage == {"total_tokens": 5}


def test_a_whole_answer_is_understood() -> None:
    answer = ChatAnswer()

    answer.take_whole(
        b'{"id":"c-1","choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
    )

    assert answer.as_choice() == {
        "message": {"role": "assistant", "content": "Hi"},
        "finish_reason": "stop",
    }


@pytest.mark.parametrize("block", [b"data: {broken\n", b'data: {"error":{"message":"no"}}\n'])
def test_an_error_inside_a_stream_is_raised(block: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        list(ChatAnswer().take_block(block))
