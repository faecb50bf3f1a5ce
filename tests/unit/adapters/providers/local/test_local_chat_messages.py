import json
from typing import Any

import pytest

from adapters.providers.local.chat_messages import plain_messages
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "add", "arguments": '{"a": 1}'},
}


def test_keeps_an_ordinary_conversation() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi", "name": "ada"},
        {"role": "assistant", "content": "Hello"},
    ]

    assert plain_messages(messages) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ]


def test_a_developer_is_the_system_and_parts_are_lines() -> None:
    parts = [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]

    assert plain_messages([{"role": "developer", "content": parts}]) == [
        {"role": "system", "content": "One\nTwo"}
    ]


def test_the_instruction_joins_the_system_message() -> None:
    system = {"role": "system", "content": "Be brief."}
    user = {"role": "user", "content": "Hi"}

    assert plain_messages([system, user], "Use tools.")[0] == {
        "role": "system",
        "content": "Be brief.\n\nUse tools.",
    }
    assert plain_messages([user], "Use tools.") == [
        {"role": "system", "content": "Use tools."},
        user,
    ]


def test_calls_and_results_become_text_in_turns() -> None:
    messages = [
        {"role": "user", "content": "Add"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "2"},
        {"role": "tool", "tool_call_id": "other", "content": "3"},
        {"role": "user", "content": "Well?"},
        {"role": "user", "content": "Hello?"},
    ]

    plain = plain_messages(messages)

    assert [message["role"] for message in plain] == ["user", "assistant", "user"]
    assert json.loads(plain[1]["content"]) == {"name": "add", "arguments": {"a": 1}}
    assert plain[2]["content"] == "Result of the tool add:\n2\n\n3\n\nWell?\n\nHello?"


def test_several_calls_become_the_json_of_several_calls() -> None:
    plain = plain_messages([{"role": "assistant", "tool_calls": [CALL, CALL]}])

    assert len(json.loads(plain[0]["content"])["tool_calls"]) == 2


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        (None, "messages"),
        ([], "messages"),
        (["hi"], "messages[0]"),
        ([{"role": "wizard", "content": "x"}], "messages[0].role"),
        ([{"role": "user"}], "messages[0].content"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content"),
        ([{"role": "assistant", "tool_calls": ["x"]}], "messages[0].tool_calls[0]"),
    ],
)
def test_refuses_malformed_messages_and_names_the_place(messages: Any, param: str) -> None:
    with pytest.raises(InvalidError) as raised:
        plain_messages(messages)

    assert raised.value.param == param


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file"])
def test_refuses_what_is_not_text(kind: str) -> None:
    with pytest.raises(UnsupportedByModelError) as raised:
        plain_messages([{"role": "user", "content": [{"type": kind}]}])

    assert raised.value.param == "messages"
