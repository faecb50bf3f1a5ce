"""A count of tokens that no call can have is none: its row could not be written, and the budget
would be gone."""

from collections.abc import Callable

import msgspec
import pytest

from adapters.dialects.anthropic import usage as anthropic
from adapters.dialects.google import usage as google
from adapters.dialects.openai_chat import usage as openai_chat
from adapters.dialects.openai_responses import usage as openai_responses
from adapters.providers.openai_compatible.wire import answer_decoder
from domain.shared.usage import Usage

Reader = Callable[[dict[str, int]], Usage | None]


def _of_gemini(usage: dict[str, int]) -> Usage | None:
    return google.read_usage(msgspec.Raw(msgspec.json.encode(usage)))


def _passed_on(usage: dict[str, int]) -> Usage | None:
    return answer_decoder.decode(msgspec.json.encode({"usage": usage})).read_usage()


READERS: dict[str, tuple[Reader, str, str]] = {
    "openai chat": (openai_chat.read_usage, "prompt_tokens", "completion_tokens"),
    "openai chat, passed on": (_passed_on, "prompt_tokens", "completion_tokens"),
    "openai responses": (openai_responses.read_usage, "input_tokens", "output_tokens"),
    "anthropic": (anthropic.read_usage, "input_tokens", "output_tokens"),
    "google": (_of_gemini, "promptTokenCount", "candidatesTokenCount"),
}


@pytest.mark.parametrize("wire", READERS)
@pytest.mark.parametrize("counts", [(10**10, 3), (12, 2**62), (12, 10**18)])
def test_a_count_that_no_call_can_have_is_not_believed(wire: str, counts: tuple[int, int]) -> None:
    read, asked, answered = READERS[wire]

    usage = read({asked: counts[0], answered: counts[1]})

    assert usage is None


@pytest.mark.parametrize("wire", READERS)
def test_a_large_count_is_believed(wire: str) -> None:
    read, asked, answered = READERS[wire]

    usage = read({asked: 10_000_000, answered: 1_000_000})

    assert usage == Usage(prompt_tokens=10_000_000, completion_tokens=1_000_000)
