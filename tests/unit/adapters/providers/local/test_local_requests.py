from typing import Any

import pytest

from adapters.providers.local.chat_request import read_chat
from adapters.providers.local.completion_request import read_completion
from adapters.providers.local.embeddings import read_embedding
from adapters.providers.local.parameters import REFUSED, read_object
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError
from tests.fakes.local_models import ADD, QUESTION


def chat_body(**body: Any) -> dict[str, Any]:
    """What llama.cpp would be asked."""
    return read_chat({"messages": QUESTION} | body, {}).calls[0].body


def test_passes_sampling_on_and_leaves_the_rest_behind() -> None:
    body = chat_body(
        temperature=0.5, top_p=1, top_k=5, min_p=0.1, user="ada", store=True, best_friend="x"
    )

    assert body == {
        "messages": QUESTION,
        "temperature": 0.5,
        "top_p": 1,
        "top_k": 5,
        "min_p": 0.1,
    }


def test_the_models_own_sampling_holds_where_the_client_is_silent() -> None:
    plan = read_chat({"messages": QUESTION, "top_p": 0.5}, {"temperature": 0.2, "top_p": 0.9})

    assert plan.calls[0].body["temperature"] == 0.2
    assert plan.calls[0].body["top_p"] == 0.5


def test_null_means_absent() -> None:
    absent = dict.fromkeys(
        ["temperature", "stop", "seed", "n", "tools", "tool_choice", "logprobs", "grammar"]
    )

    assert chat_body(**absent) == {"messages": QUESTION}


@pytest.mark.parametrize("field", sorted(REFUSED))
def test_refuses_fields_that_reach_into_the_engine(field: str) -> None:
    with pytest.raises(UnsupportedByModelError) as raised:
        chat_body(**{field: "x"})

    assert raised.value.param == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", "hot"),
        ("temperature", 2.1),
        ("temperature", True),
        ("top_p", -0.1),
        ("presence_penalty", 3),
        ("frequency_penalty", -3),
        ("n", 0),
        ("n", 1.5),
        ("seed", "x"),
        ("stop", 5),
        ("stop", [1]),
        ("stop", ["x"] * 17),
        ("logit_bias", {"word": 1}),
        ("logit_bias", {"5": 101}),
        ("logit_bias", []),
        ("max_tokens", 0),
        ("max_completion_tokens", -1),
        ("logprobs", 1),
        ("top_logprobs", 21),
        ("top_logprobs", 3),
        ("repeat_last_n", 2**31),
        ("response_format", {"type": "xml"}),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "x"}}),
    ],
)
def test_refuses_a_wrong_value_and_names_its_field(field: str, value: object) -> None:
    with pytest.raises(InvalidError) as raised:
        chat_body(**{field: value})

    assert raised.value.param == field


@pytest.mark.parametrize(
    ("field", "value"),
    [("functions", [{}]), ("modalities", ["audio"]), ("audio", {"voice": "x"})],
)
def test_refuses_what_a_local_model_cannot_do(field: str, value: object) -> None:
    with pytest.raises(UnsupportedByModelError) as raised:
        chat_body(**{field: value})

    assert raised.value.param == field


def test_log_probabilities_do_not_go_with_tools() -> None:
    with pytest.raises(UnsupportedByModelError) as raised:
        chat_body(tools=[ADD], logprobs=True)

    assert raised.value.param == "logprobs"


def test_every_choice_has_a_seed_of_its_own_and_one_pays_the_prompt() -> None:
    plan = read_chat({"messages": QUESTION, "n": 3, "seed": -1}, {})

    assert [call.body["seed"] for call in plan.calls] == [0xFFFFFFFE, 0, 1]
    assert [call.counts_prompt for call in plan.calls] == [True, False, False]


def test_the_newer_token_limit_wins() -> None:
    assert chat_body(max_tokens=5, max_completion_tokens=7)["max_tokens"] == 7


def test_json_without_a_schema_is_an_object() -> None:
    body = chat_body(response_format={"type": "json_object"})

    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert "response_format" not in chat_body(response_format={"type": "text"})


def test_a_completion_has_openais_default_length() -> None:
    plan = read_completion({"prompt": ["a", "b"], "n": 2, "best_of": 2}, {})

    assert [call.body["prompt"] for call in plan.calls] == ["a", "a", "b", "b"]
    assert [call.counts_prompt for call in plan.calls] == [True, False, True, False]
    assert {call.body["max_tokens"] for call in plan.calls} == {16}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", ""]}, "prompt"),
        ({"prompt": [1, "a"]}, "prompt"),
        ({"prompt": "a", "logprobs": 6}, "logprobs"),
        ({"prompt": "a", "best_of": 2}, "best_of"),
        ({"prompt": "a", "suffix": "b"}, "suffix"),
        ({"prompt": [1], "echo": True}, "echo"),
        ({"prompt": "a", "echo": True, "logprobs": 1}, "logprobs"),
    ],
)
def test_refuses_a_wrong_completion_and_names_the_field(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidError) as raised:
        read_completion(body, {})

    assert raised.value.param == param


def test_refuses_an_unknown_encoding() -> None:
    with pytest.raises(InvalidError) as raised:
        read_embedding({"input": "a", "encoding_format": "hex"}, 384)

    assert raised.value.param == "encoding_format"


@pytest.mark.parametrize("body", [b"{", b"[]", b"[" * 10_000], ids=["broken", "array", "deep"])
def test_refuses_a_body_that_is_no_object(body: bytes) -> None:
    with pytest.raises(InvalidError):
        read_object(body)
