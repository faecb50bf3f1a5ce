import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from adapters.dialects.openai_responses.keeping import OpenAIResponseFormat
from application.inference.responses.ports import ResponseStamp, ResponseStream
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.events import (
    Delta,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    Stopped,
    StreamEvent,
)
from domain.inference.conversation.request import GenerationRequest
from domain.inference.errors import ProviderFailedError
from domain.inference.stored_response import Item, ResponseStatus, response_name
from domain.models.served_model import Capability
from domain.shared.errors import InvalidError
from domain.shared.ids import ResponseId
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at

FORMAT = OpenAIResponseFormat()
ID = ResponseId(uuid7_at(START, 5))
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}


def a_body(**members: Any) -> bytes:
    return msgspec.json.encode({"model": "large", "input": "Hi"} | members)


def a_stamp(**fields: Any) -> ResponseStamp:
    stamp = ResponseStamp(
        id=ID, created_at=START, previous=None, store=True, body=a_body(instructions="Be brief.")
    )
    return replace(stamp, **fields)


def decoded(data: bytes | str) -> Any:
    return msgspec.json.decode(data)


def events_in(data: bytes) -> list[Any]:
    return [
        decoded(event.split(b"data: ", 1)[1]) for event in data.split(b"\n\n") if b"data: " in event
    ]


def test_a_text_is_kept_as_the_message_that_it_is() -> None:
    asked = FORMAT.read(a_body(store=False, previous_response_id="resp_x"), ID)

    (item,) = asked.input
    assert (asked.store, asked.previous) == (False, "resp_x")
    assert item.id == f"msg_{ID.hex}0000"
    assert decoded(item.json) == {
        "id": item.id,
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi"}],
    }


def test_items_are_kept_with_their_ids_or_get_some() -> None:
    asked = FORMAT.read(
        a_body(
            input=[
                {"role": "assistant", "content": "Yes?"},
                {"type": "function_call", "id": "fc_9", "call_id": "c", "name": "f"},
                {"type": "function_call_output", "call_id": "c", "output": "1"},
                {"type": "computer_call_output", "call_id": "c"},
                {"type": "item_reference", "id": "msg_7"},
                {"id": "msg_8", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
            ]
        ),
        ID,
    )

    assert [item.id for item in asked.input] == [
        f"msg_{ID.hex}0000",
        "fc_9",
        f"fco_{ID.hex}0002",
        f"item_{ID.hex}0003",
        "msg_8",
    ]
    assert asked.references == ("msg_7",)
    assert decoded(asked.input[0].json)["content"] == [
        {"type": "output_text", "text": "Yes?", "annotations": []}
    ]


def test_to_go_on_without_a_word_is_fine() -> None:
    body = msgspec.json.encode({"model": "large", "previous_response_id": "resp_x"})

    asked = FORMAT.read(body, ID)
    sent = FORMAT.for_provider(body, before=(Item(id="a", json='"a"'),), referred={})

    assert asked.input == ()
    assert decoded(sent) == {"model": "large", "store": False, "input": ["a"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"model": "large"}',
        b'{"model": "large", "input": 7}',
        b'{"model": "large", "input": [7]}',
        b'{"model": "large", "input": [{}]}',
        b'{"model": "large", "input": [{"type": ["message"]}]}',
        b'{"model": "large", "input": [{"type": "message", "id": 7}]}',
        b'{"model": "large", "input": [{"type": "item_reference"}]}',
        b'{"model": "large", "input": "x", "store": "yes"}',
        b'{"model": "large", "input": "x", "previous_response_id": 5}',
    ],
)
def test_what_cannot_be_kept_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidError):
        FORMAT.read(body, ID)


def test_a_provider_gets_all_items_and_keeps_none() -> None:
    body = a_body(previous_response_id="resp_x", temperature=0.50)

    sent = FORMAT.for_provider(body, before=(Item(id="a", json='{"a":1.0}'),), referred={})

    assert b'{"a":1.0}' in sent
    assert decoded(sent) == {
        "model": "large",
        "temperature": 0.5,
        "store": False,
        "input": [{"a": 1.0}, {"type": "message", "role": "user", "content": "Hi"}],
    }


def test_a_call_that_broke_off_is_only_told_to_a_provider_with_its_answer() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{"}
    before = [
        Item(id="fc_1", json=json.dumps(call | {"status": "incomplete"})),
        Item(id="fc_2", json=json.dumps(call | {"call_id": "c2", "status": "completed"})),
    ]
    answered = {"type": "function_call_output", "call_id": "c1", "output": "5"}
    bare = json.dumps({"model": "m", "input": "go on"}).encode()
    with_answer = json.dumps({"model": "m", "input": [answered]}).encode()

    without = decoded(FORMAT.for_provider(bare, before=before, referred={}))
    whole = decoded(FORMAT.for_provider(with_answer, before=before, referred={}))

    assert [item.get("call_id") for item in without["input"]] == ["c2", None]
    assert [item.get("call_id") for item in whole["input"]] == ["c1", "c2", "c1"]


def test_what_was_changed_on_its_way_is_kept_as_it_went_on() -> None:
    call = {"type": "function_call", "id": "fc_9", "call_id": "c", "name": "f"}
    reference = {"type": "item_reference", "id": "msg_7"}
    body = a_body(input=[{"role": "user", "content": "ada@example.org"}, reference, call])
    asked = FORMAT.read(body, ID)
    went_on = a_body(
        input=[
            {"role": "user", "content": "before"},
            {"role": "user", "content": "[EMAIL]"},
            {"type": "message"},
            call | {"arguments": "[EMAIL]"},
        ]
    )

    items = FORMAT.sent(went_on, asked)

    assert asked.places == (-3, -1)
    assert [item.id for item in items] == [item.id for item in asked.input]
    assert decoded(items[0].json)["content"][0]["text"] == "[EMAIL]"
    assert decoded(items[1].json) == call | {"arguments": "[EMAIL]"}
    alone = FORMAT.sent(a_body(input="[EMAIL]"), FORMAT.read(a_body(), ID))
    assert decoded(alone[0].json)["content"][0]["text"] == "[EMAIL]"


def test_a_named_item_stands_for_itself() -> None:
    body = a_body(
        input=[
            {"type": "item_reference", "id": "msg_7"},
            {"role": "user", "content": 'say "item_reference"'},
        ]
    )

    sent = FORMAT.for_provider(
        body, before=(), referred={"msg_7": Item(id="msg_7", json='{"type":"message"}')}
    )

    assert decoded(sent)["input"] == [
        {"type": "message"},
        {"role": "user", "content": 'say "item_reference"'},
    ]
    with pytest.raises(InvalidError):
        FORMAT.for_provider(body, before=(), referred={})


def test_what_was_said_before_says_what_a_model_must_read() -> None:
    items = [
        Item(id="a", json='{"content":[{"type":"input_image"}]}'),
        Item(id="b", json='{"content":"a \\"input_file\\""}'),
        Item(id="c", json='{"content":[{"type": "input_audio"}]}'),
    ]

    assert FORMAT.needs(items) == {Capability.IMAGES, Capability.AUDIO}


def test_what_needs_no_change_stays_as_it_came() -> None:
    body = b'{"model":"large","input":"Hi","x":1.50,"store":true}'

    sent = FORMAT.for_provider(body, before=(), referred={})

    assert sent == b'{"model":"large","input":"Hi","x":1.50,"store":false}'


def test_an_answer_gets_stoas_name_and_the_clients_words() -> None:
    answer = {
        "id": "resp_upstream",
        "model": "up",
        "status": "completed",
        "output": [MESSAGE],
        "store": False,
        "extra": 1.0,
    }

    stamped = FORMAT.stamped(msgspec.json.encode(answer), a_stamp(previous="resp_before"))

    assert (
        decoded(stamped.body)
        == decoded(stamped.document)
        == {
            "id": response_name(ID),
            "model": "large",
            "status": "completed",
            "output": [MESSAGE],
            "store": True,
            "extra": 1.0,
            "created_at": int(START.timestamp()),
            "completed_at": int(START.timestamp()),
            "previous_response_id": "resp_before",
            "background": False,
            "instructions": "Be brief.",
        }
    )
    assert [item.id for item in stamped.output] == ["msg_1"]
    assert stamped.status is ResponseStatus.COMPLETED


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b'{"output": 7}'])
def test_an_answer_that_is_none_is_the_providers_failure(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        FORMAT.stamped(body, a_stamp())


def _written(*, ends: bool = True) -> bytes:
    request = GenerationRequest(dialect="openai-responses", model="large", turns=())
    writer = OpenAIResponsesDialect().stream_writer(request)
    data = writer.write(
        [
            Started(id="gen-1", model="up", created=7),
            PartStarted(index=0, kind=PartKind.THINKING),
            Delta(index=0, text="Hm"),
            PartEnded(index=0),
            PartStarted(index=1, kind=PartKind.TOOL_CALL, call_id="c", name="f"),
            Delta(index=1, text="{}"),
            PartEnded(index=1),
            PartStarted(index=2, kind=PartKind.TEXT),
            Delta(index=2, text='"type":"response.completed"'),
        ]
    )
    if not ends:
        return data + writer.write(
            [
                PartStarted(index=3, kind=PartKind.TOOL_CALL, call_id="d", name="g"),
                Delta(index=3, text="{"),
            ]
        )
    stopped: list[StreamEvent] = [PartEnded(index=2), Stopped(reason=StopReason.END)]
    return data + writer.write(stopped) + writer.end()


def _fed(stream: ResponseStream, data: bytes, separator: bytes = b"\n\n") -> bytes:
    events = data.split(b"\n\n")[:-1]
    return b"".join(stream.feed(event + separator) for event in events)


@pytest.mark.parametrize("separator", [b"\n\n", b"\r\n\r\n"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_streams_response_is_stamped_wherever_it_stands(
    separator: bytes, *, at_once: bool
) -> None:
    stream = FORMAT.stream(a_stamp(), keeps=True)
    data = _written()

    if at_once:
        passed = stream.feed(data.replace(b"\n\n", separator))
    else:
        passed = _fed(stream, data, separator)
    ended = stream.ended()

    events = events_in(passed.replace(b"\r\n", b"\n"))
    responses = [event["response"] for event in events if "response" in event]
    assert [response["id"] for response in responses] == [response_name(ID)] * 2
    assert {response["instructions"] for response in responses} == {"Be brief."}
    assert ended is not None
    (last,) = events_in(ended.body)
    assert last["type"] == "response.completed"
    assert [e["sequence_number"] for e in [*events, last]] == list(range(len(events) + 1))
    assert last["response"] == decoded(ended.document)
    assert last["response"]["store"] is True
    assert [item["type"] for item in last["response"]["output"]] == [
        "reasoning",
        "function_call",
        "message",
    ]
    (restamped,) = events_in(stream.restamped(store=False))
    assert restamped == last | {"response": last["response"] | {"store": False}}


def test_nothing_follows_the_end_of_a_response() -> None:
    stream = FORMAT.stream(a_stamp(), keeps=False)

    stream.feed(_written() + b"data: [DONE]\n\n")

    assert stream.feed(b"data: [DONE]\n\n") == b""


def test_what_was_said_before_a_cut_is_told() -> None:
    stream = FORMAT.stream(a_stamp(), keeps=True)
    passed = events_in(stream.feed(_written(ends=False)))

    cut = stream.cut(None)

    (event,) = events_in(cut.body)
    assert event["sequence_number"] == passed[-1]["sequence_number"] + 1
    response = decoded(cut.document)
    assert (response["status"], response["error"]) == ("cancelled", None)
    assert response["id"] == response_name(ID)
    assert [(item["type"], item.get("status")) for item in response["output"]] == [
        ("reasoning", None),
        ("function_call", "completed"),
        ("message", "incomplete"),
        ("function_call", "incomplete"),
    ]
    assert response["output"][2]["content"][0]["text"] == '"type":"response.completed"'
    assert [item.id for item in cut.output] == [item["id"] for item in response["output"]]


def test_a_stream_that_fails_says_with_what() -> None:
    stream = FORMAT.stream(a_stamp(), keeps=False)
    stream.feed(_written(ends=False))

    cut = stream.cut(ProviderFailedError("It broke."))

    (event,) = events_in(cut.body)
    assert event["type"] == "response.failed"
    assert event["response"]["error"] == {"code": "server_error", "message": "It broke."}
    assert event["response"]["output"] == []
    assert cut.status is ResponseStatus.FAILED


def test_events_that_are_no_json_are_left_to_the_client() -> None:
    stream = FORMAT.stream(a_stamp(), keeps=True)
    strange = b'data: {"type":"response.created" oops\n\n'

    assert stream.feed(strange) == strange
    assert stream.feed(b": ping\n\n") == b": ping\n\n"
