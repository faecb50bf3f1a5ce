"""What the door knows of a request before anybody else reads it."""

import json
from contextlib import suppress
from typing import Any

import pytest

from adapters.dialects.decoding import understood
from adapters.http.anthropic.requests import read_count_tokens, read_messages
from adapters.http.data_plane.asked import Asked
from domain.inference.errors import UnsupportedByModelError
from domain.models.served_model import Capability
from domain.shared.errors import InvalidError

HELLO = [{"role": "user", "content": "hi"}]
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}}
DOCUMENT = {"type": "document", "source": {"type": "file", "file_id": "f"}}


def read(**members: Any) -> Asked:
    body = {"model": "m", "max_tokens": 50, "messages": HELLO} | members
    return read_messages(json.dumps(body).encode(), "application/json")


def test_knows_the_model_the_limit_and_who_asks() -> None:
    asked = read(stream=True, metadata={"user_id": "u"})

    assert asked == Asked(
        model="m", stream=True, include_usage=True, max_output_tokens=50, user="u"
    )


def test_tools_are_offered() -> None:
    asked = read(tools=[{"name": "f", "input_schema": {}}])

    assert asked.offers_tools
    assert not asked.asks_retrieval
    assert asked.needs == {Capability.TOOLS}


@pytest.mark.parametrize("kind", ["web_search_20250305", "web_fetch_20260309"])
def test_a_search_is_asked_for(kind: str) -> None:
    assert read(tools=[{"type": "custom"}, {"type": kind}]).asks_retrieval


def test_a_schema_is_a_need() -> None:
    asked = read(output_config={"effort": "low", "format": {"type": "json_schema"}})

    assert asked.needs == {Capability.JSON_SCHEMA}


def test_attachments_are_found_wherever_they_are() -> None:
    result = {
        "type": "tool_result",
        "tool_use_id": "t",
        "content": [{"type": "text", "text": "x"}, IMAGE],
    }
    plain = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    odd = {"type": "tool_result", "tool_use_id": "t", "content": [5]}

    asked = read(messages=[{"role": "user", "content": [IMAGE, DOCUMENT, result, plain, odd]}])

    assert asked.attachments == 3
    assert asked.needs == {Capability.IMAGES, Capability.FILES}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "boss", "content": "x"}]}, "messages[0].role"),
        ({"model": ""}, "model"),
        ({"stream": "yes"}, "stream"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(members: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read(**members)

    assert (caught.value.param or "").replace("[...]", "[0]") == param


@pytest.mark.parametrize("content", [b'[{"type":"\xff"}]', b'["\xff"]', b'[{"\xff":1}]'])
def test_a_result_of_a_tool_that_is_no_json_is_refused(content: bytes) -> None:
    result = b'{"type":"tool_result","tool_use_id":"x","content":%b}' % content
    body = b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[%b]}]}' % result

    with suppress(InvalidError):
        understood(read_messages, body, "application/json")


def test_no_provider_keeps_a_conversation() -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        read(thread={"type": "create"})

    assert caught.value.param == "thread"


def test_counting_sets_nothing_aside() -> None:
    body = json.dumps({"model": "m", "messages": HELLO}).encode()

    asked = read_count_tokens(body, "application/json")

    assert asked == Asked(model="m", max_output_tokens=1, prompt_bytes=0)
