from typing import Any

import msgspec
import pytest

from adapters.dialects.openai_responses.envelope import Sealed, seal
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
from adapters.providers.openai_compatible.request import UpstreamBody
from adapters.providers.openai_compatible.responses.answer import whole_response
from adapters.providers.openai_compatible.responses.request import responses_body
from adapters.providers.openai_compatible.responses.scanner import ResponsesScanner
from application.inference.ports import Operation, ProviderRequest
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
)
from domain.models.served_model import Capability
from domain.shared.errors import InvalidError, StoaError
from domain.shared.usage import Usage
from tests.builders import a_model

ERRORS = ErrorMapping("acme", (), openai_failure)
SENT = UpstreamBody(b"{}", "large", 7)
USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
}


def sent(model: dict[str, Any] | None = None, *, stream: bool = False, **members: Any) -> Any:
    body = msgspec.json.encode({"model": "large", "input": "Hi"} | members)
    request = ProviderRequest(
        operation=Operation.RESPONSES,
        model=a_model(**({"upstream_name": "gpt-x"} | (model or {}))),
        body=body,
        correlation_id="c",
        stream=stream,
    )
    return msgspec.json.decode(responses_body(request).body)


def an_event(kind: str, **members: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (
        kind.encode(),
        msgspec.json.encode({"type": kind} | members),
    )


def test_a_provider_keeps_nothing_and_hears_its_own_name_of_the_model() -> None:
    body = sent(store=True, previous_response_id="resp_1", temperature=0.5)

    assert body == {"model": "gpt-x", "input": "Hi", "store": False, "temperature": 0.5}


def test_names_of_items_stay_here() -> None:
    message = {"role": "user", "content": "Hi"}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"id": 1}'}
    search = {"type": "web_search_call", "id": "ws_1"}

    body = sent(input=[message | {"id": "msg_1"}, call | {"id": "fc_1"}, search, message])

    assert body["input"] == [message, call, search, message]


def test_only_the_thoughts_that_a_provider_encrypted_itself_go_back_to_it() -> None:
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    foreign = seal(Sealed(value="sig", of="anthropic"))

    body = sent(
        input=[
            own,
            own | {"encrypted_content": foreign},
            {"type": "reasoning", "id": "rs_2", "summary": []},
        ]
    )

    assert body["input"] == [own]


@pytest.mark.parametrize(
    ("model", "members", "include"),
    [
        ({}, {}, None),
        ({}, {"reasoning": {"effort": "low"}}, ["reasoning.encrypted_content"]),
        (
            {"capabilities": frozenset({Capability.REASONING})},
            {"include": ["file_search_call.results"]},
            ["file_search_call.results", "reasoning.encrypted_content"],
        ),
        ({"capabilities": frozenset[Capability]()}, {"include": None}, None),
    ],
)
def test_thoughts_are_asked_for_where_there_may_be_some(
    model: dict[str, Any], members: dict[str, Any], include: list[str] | None
) -> None:
    assert sent(model, **members).get("include") == include


@pytest.mark.parametrize("name", ["Store", "PREVIOUS_RESPONSE_ID", "Background"])
def test_another_spelling_of_what_is_ours_is_refused(name: str) -> None:
    members: dict[str, Any] = {name: True}

    with pytest.raises(InvalidError) as refused:
        sent(**members)

    assert refused.value.param == name


def test_a_stream_is_asked_for_as_such() -> None:
    assert sent(stream=True)["stream"] is True
    assert sent(stream=False, temperature=1).get("stream") is None


def test_a_whole_response_is_passed_on_as_it_came() -> None:
    body = msgspec.json.encode(
        {"status": "completed", "output": [{"type": "function_call"}], "usage": USAGE}
    )

    answer = whole_response(body, SENT, "req-1", ERRORS)

    assert answer.body == body
    assert answer.finish_reason == "tool_calls"
    assert answer.usage == Usage(
        prompt_tokens=10, cached_tokens=4, completion_tokens=5, reasoning_tokens=2
    )
    assert answer.provider_request_id == "req-1"


def test_usage_that_is_not_reported_is_counted() -> None:
    answer = whole_response(b'{"output": [], "usage": null}', SENT, None, ERRORS)

    assert (answer.usage.counted, answer.usage.prompt_tokens) == (True, 7)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "server_error", "message": "Oops"}, ProviderFailedError),
        ({"code": "rate_limit_exceeded", "message": "Slow"}, ProviderRateLimitedError),
        ({"code": "context_length_exceeded", "message": "Long"}, ContextLengthExceededError),
        ({"code": "invalid_prompt", "message": "Bad"}, ProviderRejectedError),
        ("Oops", ProviderFailedError),
    ],
)
def test_a_failure_is_raised_wherever_it_stands(error: Any, kind: type[StoaError]) -> None:
    failed = {"status": "failed", "output": [], "error": error}
    scanners = [ResponsesScanner(ERRORS) for _ in range(2)]

    with pytest.raises(kind):
        whole_response(msgspec.json.encode(failed), SENT, None, ERRORS)
    assert scanners[0].feed(an_event("response.failed", response=failed)) == b""
    assert scanners[1].feed(an_event("error", error=error)) == b""

    assert [type(scanner.failure) for scanner in scanners] == [kind, kind]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"output": 1}', b"<html>"])
def test_what_is_no_response_is_a_failure(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        whole_response(body, SENT, None, ERRORS)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_is_passed_on_as_it_came(size: int) -> None:
    scanner = ResponsesScanner(ERRORS)
    delta = an_event("response.output_text.delta", delta='he said "type":"error"')
    response = {"status": "incomplete", "output": [], "usage": USAGE}
    response["incomplete_details"] = {"reason": "max_output_tokens"}
    data = delta * 2 + an_event("response.incomplete", response=response)

    passed = b"".join(
        scanner.feed((b": hello\n\n" + data)[start : start + size])
        for start in range(0, len(data) + 9, size)
    )

    assert passed.removeprefix(b": hello\n\n") == data
    assert (scanner.done, scanner.failure) == (True, None)
    assert scanner.content_events == 2
    assert scanner.finish_reason == "length"
    assert scanner.usage is not None
    assert scanner.usage.prompt_tokens == 10
    assert scanner.end() == b""
    assert scanner.failure is None


@pytest.mark.parametrize("how", ["end", "cut"])
def test_a_stream_without_its_end_is_a_failure(how: str) -> None:
    scanner = ResponsesScanner(ERRORS)
    scanner.feed(an_event("response.output_text.delta", delta="Hi"))

    getattr(scanner, how)()

    assert isinstance(scanner.failure, ProviderFailedError)
    assert (scanner.usage, scanner.finish_reason) == (None, None)


def test_an_error_event_in_openais_own_layout_is_understood() -> None:
    scanner = ResponsesScanner(ERRORS)

    scanner.feed(an_event("error", code="rate_limit_exceeded", message="Slow", param=None))

    assert isinstance(scanner.failure, ProviderRateLimitedError)
