import json
from typing import Any

import msgspec
import pytest

from adapters.providers.mistral.members import adapt
from adapters.providers.mistral.thoughts import plain_answer
from application.inference.ports import Operation
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

HELLO = [{"role": "user", "content": "hello"}]


def adapted(operation: Operation = Operation.CHAT, **members: Any) -> dict[str, Any]:
    raw = msgspec.json.decode(json.dumps(members), type=dict[str, msgspec.Raw])
    return {name: json.loads(bytes(value)) for name, value in adapt(operation, raw).items()}


def message(**fields: Any) -> dict[str, Any]:
    said: dict[str, Any] = adapted(messages=[fields])["messages"][0]
    return said


def test_what_mistral_knows_goes_as_it_is() -> None:
    members: dict[str, Any] = {
        "model": "mistral-large-latest",
        "messages": HELLO,
        "temperature": 0.5,
        "safe_prompt": True,
        "prompt_mode": "reasoning",
        "logprobs": True,
        "top_logprobs": 2,
        "service_tier": "standard_only",
        "prompt_cache_key": "k",
        "metadata": {"a": "b"},
        "a_member_of_next_year": [1],
    }

    assert adapted(**members) == members


def test_messages_that_need_nothing_stay_byte_for_byte() -> None:
    messages = msgspec.Raw(b'[ {"role": "user",  "content": "\\u00e9"} ]')

    assert adapt(Operation.CHAT, {"messages": messages})["messages"] is messages


def test_members_get_the_names_that_mistral_has_for_them() -> None:
    assert adapted(seed=3, max_completion_tokens=7) == {"random_seed": 3, "max_tokens": 7}
    assert adapted(Operation.EMBEDDING, input="x", dimensions=256, user="u") == {
        "input": "x",
        "output_dimension": 256,
    }


def test_two_names_of_the_same_are_refused() -> None:
    with pytest.raises(InvalidError, match="'max_completion_tokens' and 'max_tokens'"):
        adapted(max_tokens=1, max_completion_tokens=2)


def test_members_without_effect_and_empty_ones_are_left_out() -> None:
    assert adapted(user="u", store=True, logit_bias=None, stop=None) == {}
    assert adapted(modalities=["text"], service_tier="flex", logit_bias={}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logit_bias", {"5": 1}),
        ("functions", [{"name": "f"}]),
        ("modalities", ["text", "audio"]),
        ("verbosity", "low"),
        ("web_search_options", {}),
    ],
)
def test_what_mistral_has_nothing_for_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedByModelError, match=f"no '{name}'") as caught:
        adapted(**{name: value})

    assert caught.value.param == name


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("required", "any"),
        ("auto", "auto"),
        (
            {"type": "function", "function": {"name": "f"}},
            {"type": "function", "function": {"name": "f"}},
        ),
    ],
)
def test_a_required_tool_is_any_tool(choice: object, expected: object) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]

    assert adapted(tools=tools, tool_choice=choice) == {"tools": tools, "tool_choice": expected}


@pytest.mark.parametrize(("mode", "choice"), [("auto", "auto"), ("required", "any")])
def test_the_choice_among_some_tools_is_told_as_these_tools(mode: str, choice: str) -> None:
    parameters = {"type": "object"}
    first, second = (
        {"type": "function", "function": {"name": name, "parameters": parameters}} for name in "ab"
    )
    allowed = {"mode": mode, "tools": [{"type": "function", "function": {"name": "b"}}]}

    told = adapted(
        tools=[first, second],
        tool_choice={"type": "allowed_tools", "allowed_tools": allowed},
    )

    assert told == {"tools": [second], "tool_choice": choice}


def test_tools_that_need_nothing_stay_byte_for_byte() -> None:
    tools = msgspec.Raw(b'[ {"type": "function", "function": {"name":"f","parameters":{"a":1}}} ]')

    assert adapt(Operation.CHAT, {"tools": tools})["tools"] is tools


@pytest.mark.parametrize("function", [{"name": "f"}, {"name": "f", "parameters": {}}])
def test_a_tool_without_parameters_says_so(function: dict[str, Any]) -> None:
    tool = {"type": "function", "function": function}

    told = adapted(tools=[tool])["tools"][0]["function"]

    assert told == {"name": "f", "parameters": {"type": "object", "properties": {}}}


def test_hints_for_the_caches_of_others_are_left_out() -> None:
    hint = {"cache_control": {"type": "ephemeral"}}
    function = {"name": "f", "parameters": {"type": "object"}}
    part = {"type": "text", "text": "hi"}

    told = adapted(
        messages=[{"role": "user", "content": [part | hint], **hint}],
        tools=[{"type": "function", "function": function, **hint}],
    )

    assert told == {
        "messages": [{"role": "user", "content": [part]}],
        "tools": [{"type": "function", "function": function}],
    }


def test_a_developer_is_the_system() -> None:
    assert message(role="developer", content="be brief")["role"] == "system"


def test_ids_of_tool_calls_become_those_that_mistral_takes_and_stay_pairs() -> None:
    call = {"id": "call_abcdefghij", "type": "function", "function": {"name": "f"}}
    messages = adapted(
        messages=[
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "name": "f", "tool_call_id": "call_abcdefghij", "content": "1"},
        ]
    )["messages"]

    new = messages[0]["tool_calls"][0]["id"]
    assert len(new) == 9
    assert new.isalnum()
    assert messages[1]["tool_call_id"] == new
    assert messages[1]["name"] == "f"


def test_ids_that_mistral_gave_stay() -> None:
    assert message(role="tool", tool_call_id="D681PevKs", content="1")["tool_call_id"] == (
        "D681PevKs"
    )


def test_what_a_client_sends_back_of_an_answer_is_left_out() -> None:
    said = message(
        role="assistant",
        content="hi",
        refusal=None,
        annotations=[],
        audio=None,
        function_call=None,
        tool_calls=None,
        reasoning_content="hm",
    )

    assert said == {"role": "assistant", "content": "hi"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"role": "user", "content": "x", "name": "ann"}, "messages[0].name"),
        ({"role": "assistant", "refusal": "no"}, "messages[0].refusal"),
        (
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            "messages[0].content[0]",
        ),
    ],
)
def test_parts_of_messages_that_mistral_has_nothing_for_are_refused(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        message(**fields)

    assert caught.value.param == param


def test_sounds_and_files_are_sent_in_mistrals_words() -> None:
    content = message(
        role="user",
        content=[
            {"type": "text", "text": "x"},
            {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:x;base64,AA=="}},
            {"type": "file", "file": {"file_id": "f-1"}},
        ],
    )["content"]

    assert content[:2] == [
        {"type": "text", "text": "x"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
    ]
    assert content[2:] == [
        {"type": "input_audio", "input_audio": "AA=="},
        {
            "type": "document_url",
            "document_url": "data:x;base64,AA==",
            "document_name": "a.pdf",
        },
        {"type": "file", "file_id": "f-1"},
    ]


@pytest.mark.parametrize("messages", ["x", [1], [["x"]]])
def test_messages_that_are_none_are_refused(messages: object) -> None:
    with pytest.raises(InvalidError, match="'messages' cannot be read"):
        adapted(messages=messages)


def test_references_are_no_part_of_the_text() -> None:
    content = [
        {"type": "text", "text": "It rains"},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "."},
    ]
    answer = msgspec.json.encode({"choices": [{"message": {"content": content}}]})

    told = msgspec.json.decode(plain_answer(answer))

    assert told == {"choices": [{"message": {"content": "It rains."}}]}
