"""What was answered in one form can be given again in the other, or is not."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.dialect import Dialect
from adapters.dialects.openai_chat.dialect import OpenAIChat
from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from adapters.dialects.recasting.answer_forms import DialectAnswerForms
from application.inference.keeping.ports import KeptAnswer
from application.inference.ports import EVENTS, JSON, Operation
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.parts import Text, Thinking
from domain.shared.usage import Usage
from tests.fakes import any_conversation as some
from tests.fakes.clock import START
from tests.fixtures.streamed import answer_of

FORMS = DialectAnswerForms()
USAGE = Usage(prompt_tokens=3, completion_tokens=4)
DIALECTS: dict[Operation, tuple[Dialect, bytes]] = {
    Operation.CHAT: (OpenAIChat(), b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'),
    Operation.MESSAGES: (
        Anthropic(),
        b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}',
    ),
    Operation.RESPONSES: (OpenAIResponsesDialect(), b'{"model":"m","input":"hi","store":false}'),
}
GREETING = GenerationAnswer(
    id="a", model="m", choices=(Choice(parts=(Text(text="hello"),), stop=StopReason.END),)
)
ANSWERS = some.answers(
    st.builds(Thinking, text=some.WORDS),
    st.builds(Text, text=some.WORDS),
    st.sampled_from([StopReason.END, StopReason.LENGTH]),
).map(lambda one: one if one.choices[0].parts else GREETING)


def kept(*blocks: bytes, stream: bool) -> KeptAnswer:
    return KeptAnswer(
        blocks=blocks,
        content_type=EVENTS if stream else JSON,
        usage=USAGE,
        model="m",
        kept_at=START,
    )


def read(dialect: Dialect, blocks: tuple[bytes, ...]) -> GenerationAnswer:
    reader = dialect.stream_reader()
    return answer_of([*(one for block in blocks for one in reader.feed(block)), *reader.end()])


def said(answer: GenerationAnswer) -> list[tuple[str, str]]:
    """Kinds and texts of the parts; thoughts that follow each other run together in some."""
    parts: list[Any] = list(answer.choices[0].parts)
    told: list[tuple[str, str]] = []
    for part in parts:
        kind, text = type(part).__name__, getattr(part, "text", "") or part.arguments
        if told and told[-1][0] == kind == "Thinking":
            text = told.pop()[1] + text
        told.append((kind, text))
    return told


@pytest.mark.parametrize("operation", DIALECTS)
@settings(max_examples=30)
@given(answer=ANSWERS)
def test_an_answer_says_the_same_in_the_other_form(
    operation: Operation, answer: GenerationAnswer
) -> None:
    dialect, question = DIALECTS[operation]
    whole = dialect.write_answer(answer, dialect.read_request(question))

    blocks = FORMS.recast(operation, question, kept(whole, stream=False), stream=True)
    assert blocks is not None
    again = FORMS.recast(operation, question, kept(*blocks, stream=True), stream=False)

    assert again is not None
    wanted = dialect.read_answer(whole)
    assert dialect.read_answer(again[0]).usage == USAGE
    for one in (read(dialect, blocks), dialect.read_answer(again[0])):
        assert said(one) == said(wanted)
        assert one.choices[0].stop is wanted.choices[0].stop


def test_a_stream_gets_the_usage_that_its_client_wants() -> None:
    dialect, question = DIALECTS[Operation.CHAT]
    measured = question[:-1] + b',"stream":true,"stream_options":{"include_usage":true}}'
    whole = dialect.write_answer(GREETING, dialect.read_request(question))

    without = FORMS.recast(Operation.CHAT, question, kept(whole, stream=False), stream=True)
    assert without is not None
    with_it = FORMS.recast(Operation.CHAT, measured, kept(*without, stream=True), stream=True)

    assert with_it is not None
    assert b'"usage"' not in b"".join(without)
    assert b'"prompt_tokens":3' in with_it[-1]


@pytest.mark.parametrize(
    "members",
    [
        {"message": {"content": "hi", "annotations": [{"type": "x", "title": "y"}]}},
        {"logprobs": {"content": [{"token": "hi", "logprob": -0.5}]}},
        {"message": {"content": [{"type": "text"}]}},
    ],
)
def test_what_would_lose_something_is_not_recast(members: dict[str, Any]) -> None:
    choice = {"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"} | members
    whole = json.dumps({"id": "a", "choices": [choice]}).encode()
    _, question = DIALECTS[Operation.CHAT]

    assert FORMS.recast(Operation.CHAT, question, kept(whole, stream=False), stream=True) is None


@pytest.mark.parametrize(
    ("operation", "block"),
    [
        (Operation.CHAT, b'data: {"choices":[{"delta":{"content":"hi","new":"x"}}]}\n\n'),
        (Operation.CHAT, b"data: no json\n\n"),
        (Operation.RESPONSES, b'data: {"type":"response.created"}\n\n'),
        (Operation.COMPLETION, b'data: {"choices":[{"text":"hi"}]}\n\n'),
    ],
)
def test_a_stream_that_is_not_understood_is_not_recast(operation: Operation, block: bytes) -> None:
    question = DIALECTS.get(operation, DIALECTS[Operation.CHAT])[1]
    ended = kept(block, b'data: {"choices":[{"finish_reason":"stop"}]}\n\n', stream=True)

    assert FORMS.recast(operation, question, ended, stream=False) is None
