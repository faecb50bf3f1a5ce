"""Whatever is sent is understood or refused; nothing else happens."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.dialect import Dialect
from adapters.dialects.openai_chat.dialect import OpenAIChat
from adapters.dialects.openai_responses.calls import ClientTools
from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from adapters.dialects.openai_responses.keeping import OpenAIResponseFormat
from adapters.dialects.openai_responses.output_items import call_item
from adapters.http.responses.requests import read_response_request
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
from adapters.providers.openai_compatible.request import UpstreamBody
from adapters.providers.openai_compatible.responses.answer import whole_response
from adapters.providers.openai_compatible.responses.request import responses_body
from adapters.providers.openai_compatible.responses.scanner import ResponsesScanner
from application.inference.ports import Operation, ProviderRequest
from application.inference.responses.ports import ResponseStamp
from domain.inference.conversation.parts import Text, ToolCall
from domain.inference.conversation.request import GenerationRequest, Role, Turn
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import InvalidError, LimitExceededError
from domain.shared.ids import ResponseId
from tests.fakes.clock import START
from tests.fakes.full_bodies import (
    ANTHROPIC_ANSWER,
    ANTHROPIC_BODY,
    ANTHROPIC_STREAM,
    OPENAI_ANSWER,
    OPENAI_BODY,
    OPENAI_STREAM,
)
from tests.fakes.ids import uuid7_at
from tests.fakes.openai_wire import a_model
from tests.unit.adapters.dialects.test_odd_bodies import events_of, spoilt

RESPONSES = OpenAIResponsesDialect()
DIALECTS = (RESPONSES, OpenAIChat(), Anthropic())
FORMAT = OpenAIResponseFormat()
ERRORS = ErrorMapping("acme", (), openai_failure)
ID = ResponseId(uuid7_at(START, 5))
ASKED = GenerationRequest(
    dialect="openai-responses",
    model="large",
    turns=(Turn(role=Role.USER, parts=(Text(text="x"),)),),
    include_usage=True,
)
BODY: Any = {
    "model": "large",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": "Hi"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look."},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "AAAA"},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            ],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "content": [{"type": "reasoning_text", "text": "Hm."}],
            "encrypted_content": "stoa.eyJ2YWx1ZSI6InYiLCJvZiI6Imdvb2dsZSJ9",
        },
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": [{"type": "input_text", "text": "x"}],
        },
        {"type": "item_reference", "id": "msg_1"},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "a", "schema": {}}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["message.output_text.logprobs"],
    "metadata": {"a": "b"},
    "top_logprobs": 2,
    "temperature": 1,
    "store": True,
    "stream": False,
    "previous_response_id": None,
}
ANSWER: Any = {
    "id": "resp_1",
    "object": "response",
    "created_at": 5,
    "model": "up",
    "status": "incomplete",
    "incomplete_details": {"reason": "max_output_tokens"},
    "error": None,
    "output": [
        BODY["input"][2],
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "content": [
                {
                    "type": "output_text",
                    "text": "x",
                    "annotations": [],
                    "logprobs": [{"token": "x"}],
                },
                {"type": "refusal", "refusal": "No."},
            ],
        },
        BODY["input"][3],
        {"type": "web_search_call", "id": "ws_1"},
    ],
    "usage": {
        "input_tokens": 1,
        "input_tokens_details": {"cached_tokens": 1},
        "output_tokens": 1,
        "output_tokens_details": {"reasoning_tokens": 1},
    },
}
WHERE: Any = {"output_index": 1, "content_index": 0, "item_id": "msg_1"}
STREAM: Any = [
    {"type": "response.created", "sequence_number": 0, "response": ANSWER | {"output": []}},
    {"type": "response.output_item.added", "output_index": 0, "item": ANSWER["output"][0]},
    {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "H"},
    {"type": "response.reasoning_text.delta", "output_index": 0, "delta": "H"},
    {"type": "response.output_item.done", "output_index": 0, "item": ANSWER["output"][0]},
    {"type": "response.output_item.added", "output_index": 1, "item": {"type": "message"}},
    {"type": "response.content_part.added", "part": {"type": "output_text"}, **WHERE},
    {"type": "response.output_text.delta", "delta": "x", "logprobs": [], **WHERE},
    {"type": "response.content_part.done", "part": {"type": "output_text"}, **WHERE},
    {"type": "response.output_item.done", "output_index": 1, "item": ANSWER["output"][1]},
    {"type": "response.output_item.added", "output_index": 2, "item": ANSWER["output"][2]},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{}"},
    {"type": "response.output_item.done", "output_index": 2, "item": ANSWER["output"][2]},
    {"type": "response.incomplete", "sequence_number": 13, "response": ANSWER},
]


def an_event(event: Any) -> bytes:
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


def a_stamp() -> ResponseStamp:
    body = msgspec.json.encode({"model": "large"})
    return ResponseStamp(id=ID, created_at=START, previous=None, store=True, body=body)


def test_odd_requests_are_understood_or_refused() -> None:
    for odd in spoilt(BODY):
        body = msgspec.json.encode(odd)
        with suppress(InvalidError):
            request = RESPONSES.read_request(body)
            for dialect in DIALECTS:
                with suppress(InvalidError):
                    dialect.write_request(request, a_model())


def test_odd_requests_are_kept_or_refused_at_the_door() -> None:
    for odd in spoilt(BODY):
        body = msgspec.json.encode(odd)
        with suppress(InvalidError):
            read_response_request(body, "application/json")
            asked = FORMAT.read(body, ID)
            assert all(isinstance(item.id, str) for item in asked.input)
            found = {item.id: item for item in asked.input}
            sent = FORMAT.for_provider(body, before=asked.input, referred=found)
            responses_body(
                ProviderRequest(
                    operation=Operation.RESPONSES, model=a_model(), body=sent, correlation_id="c"
                )
            )


def test_odd_answers_are_understood_or_have_failed() -> None:
    for odd in spoilt(ANSWER):
        body = msgspec.json.encode(odd)
        with suppress(ProviderFailedError, InvalidError, LimitExceededError):
            answer = RESPONSES.read_answer(body)
            for dialect in DIALECTS:
                dialect.write_answer(answer, ASKED)
        with suppress(ProviderFailedError, InvalidError, LimitExceededError):
            whole_response(body, UpstreamBody(body, "m", 1), None, ERRORS)
            FORMAT.stamped(body, a_stamp())


def test_odd_streams_are_understood_or_have_failed() -> None:
    for events in spoilt(STREAM):
        reader = RESPONSES.stream_reader()
        writers = [dialect.stream_writer(ASKED) for dialect in DIALECTS]

        with suppress(ProviderFailedError, InvalidError, LimitExceededError):
            for event in events:
                found = reader.feed(an_event(event))
                assert all(isinstance(getattr(one, "text", ""), str) for one in found)
                for writer in writers:
                    writer.write(found)
            reader.end()
        for writer in writers:
            writer.end()


def test_odd_streams_are_passed_on_and_kept() -> None:
    for events in spoilt(STREAM):
        scanner, kept = ResponsesScanner(ERRORS), FORMAT.stream(a_stamp(), keeps=True)

        for event in events:
            kept.feed(scanner.feed(an_event(event)))
        scanner.end()

        ended = kept.ended() or kept.cut(scanner.failure)
        assert all(isinstance(item.id, str) for item in ended.output)
        assert msgspec.json.decode(ended.document)["id"].startswith("resp_")


@pytest.mark.parametrize(
    ("dialect", "request_body", "answer", "stream"),
    [
        (OpenAIChat(), OPENAI_BODY, OPENAI_ANSWER, OPENAI_STREAM),
        (Anthropic(), ANTHROPIC_BODY, ANTHROPIC_ANSWER, ANTHROPIC_STREAM),
    ],
    ids=["openai", "anthropic"],
)
def test_what_is_odd_elsewhere_is_told_or_refused(
    dialect: Dialect, request_body: Any, answer: Any, stream: list[bytes]
) -> None:
    for odd in spoilt(request_body):
        with suppress(InvalidError):
            RESPONSES.write_request(dialect.read_request(msgspec.json.encode(odd)), a_model())
    for odd in spoilt(answer):
        with suppress(ProviderFailedError):
            RESPONSES.write_answer(dialect.read_answer(msgspec.json.encode(odd)), ASKED)
    for events in spoilt(events_of(stream)):
        reader, writer = dialect.stream_reader(), RESPONSES.stream_writer(ASKED)
        with suppress(ProviderFailedError):
            for event in events:
                writer.write(reader.feed(an_event(event)))
        writer.end()


def test_arguments_that_are_nested_too_deeply_are_not_whole() -> None:
    call = ToolCall(id="c", name="f", arguments="[" * 9_000)

    item = call_item("fc_1", call, ClientTools(()))

    assert item["status"] == "incomplete"
