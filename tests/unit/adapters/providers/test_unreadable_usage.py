"""The first look at an answer passes over its usage, which may be no JSON; the answer is sound."""

import pytest

from adapters.providers.anthropic.wire import whole_answer
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
from adapters.providers.openai_compatible.media.wire import media_decoder
from adapters.providers.openai_compatible.request import UpstreamBody
from adapters.providers.openai_compatible.responses.answer import response_decoder
from adapters.providers.openai_compatible.wire import answer_decoder
from application.inference.ports import Operation
from domain.shared.usage import Usage
from tests.fakes.openai_wire import a_request

UNREADABLE = [
    b"1e400",
    b'{"input_tokens":1e400,"prompt_tokens":1e400}',
    b'{"x":1e400,"\xff":1}',
    b'{"input_tokens":"\xff","prompt_tokens":"\xff"}',
    b'"\xff"',
]
EXPECTED = Usage(prompt_tokens=7, counted=True)


@pytest.mark.parametrize("usage", UNREADABLE)
def test_a_message_counts_itself(usage: bytes) -> None:
    body = b'{"type":"message","content":[],"usage":%b}' % usage
    request = a_request(operation=Operation.MESSAGES)
    sent, errors = UpstreamBody(b"{}", "large", 7), ErrorMapping("acme", [], openai_failure)

    answer = whole_answer(body, request, sent, None, errors)

    assert answer.usage.counted
    assert answer.usage.prompt_tokens == 7


@pytest.mark.parametrize("usage", UNREADABLE)
def test_neither_chats_nor_responses_nor_media_trip_over_it(usage: bytes) -> None:
    body = b'{"usage":%b}' % usage

    assert answer_decoder.decode(body).read_usage() is None
    assert response_decoder.decode(body).read_usage() is None
    assert media_decoder.decode(body).used(EXPECTED) == EXPECTED
