from typing import Any

import msgspec
import pytest

from adapters.http.data_plane.asked import Asked
from adapters.http.responses.requests import read_response_request
from domain.models.served_model import Capability
from domain.shared.errors import InvalidError


def read(**members: Any) -> Asked:
    body = msgspec.json.encode({"model": "large", "input": "Hi"} | members)
    return read_response_request(body, "application/json")


def test_a_plain_request_needs_nothing_in_particular() -> None:
    assert read() == Asked(model="large")


def test_what_the_core_must_know_is_read() -> None:
    asked = read(
        stream=True,
        max_output_tokens=9,
        user="u",
        safety_identifier="s",
        tools=[{"type": "function", "name": "f"}],
        text={"format": {"type": "json_schema", "name": "x"}},
        input=[
            {"role": "user", "content": [{"type": "input_image"}, {"type": "input_text"}]},
            {"role": "user", "content": [{"type": "input_file"}, {"type": "input_audio"}]},
            {"type": "function_call_output", "output": [{"type": "input_image"}]},
            {"type": "function_call_output", "output": "text"},
            {"type": "computer_call_output", "output": {"type": "computer_screenshot"}},
        ],
    )

    assert asked == Asked(
        model="large",
        stream=True,
        max_output_tokens=9,
        user="s",
        offers_tools=True,
        attachments=4,
        needs=frozenset(
            {
                Capability.TOOLS,
                Capability.JSON_SCHEMA,
                Capability.IMAGES,
                Capability.FILES,
                Capability.AUDIO,
            }
        ),
    )


@pytest.mark.parametrize("tool", ["web_search", "web_search_preview_2025_03_11", "file_search"])
def test_searching_is_retrieval(tool: str) -> None:
    assert read(tools=[{"type": tool}]).asks_retrieval


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": ""}, "model"),
        ({"input": None}, "input"),
        ({"input": 7}, "input"),
        ({"background": True}, "background"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"stream_options": {}}, "stream_options"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"metadata": {"a": 1}}, "metadata[...]"),
        ({"tools": [{}]}, "tools[0].type"),
    ],
)
def test_a_wrong_member_is_refused_by_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read(**members)

    assert refused.value.param == param


@pytest.mark.parametrize(
    "members",
    [
        {"background": False, "conversation": None, "prompt": None},
        {"input": None, "previous_response_id": "resp_x"},
        {"unknown": {"of": "tomorrow"}},
    ],
)
def test_what_says_nothing_wrong_is_taken(members: dict[str, Any]) -> None:
    assert read(**members).model == "large"
