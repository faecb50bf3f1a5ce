import json
from typing import Any

import pytest

from adapters.dialects.guarding.formats import DialectContentFormats
from adapters.dialects.guarding.json_schemas import JsonSchemaValidators
from application.inference.guarding.ports import Channel
from application.inference.ports import Operation
from domain.inference.errors import ProviderFailedError
from domain.inference.guardrails.channel import JsonChannel, TextChannel
from domain.inference.guardrails.screen import screen_of
from domain.shared.errors import InvalidError

FORMATS = DialectContentFormats()
MAIL, SHOWN = "ann@example.com", "[EMAIL]"
SCREEN = screen_of(("email", "credit_card"), ())


def opens(is_json: bool) -> Channel:
    return (JsonChannel if is_json else TextChannel)(SCREEN, lambda _: True)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        (Operation.CHAT, {"messages": [{"role": "system", "content": "MAIL"}]}),
        (Operation.CHAT, {"messages": [{"content": [{"type": "text", "text": "MAIL"}]}]}),
        (Operation.CHAT, {"messages": [{"role": "tool", "tool_call_id": "1", "content": "MAIL"}]}),
        (Operation.CHAT, {"messages": [{"tool_calls": [{"function": {"arguments": '["MAIL"]'}}]}]}),
        (Operation.CHAT, {"messages": [], "prediction": {"type": "content", "content": "MAIL"}}),
        (Operation.COMPLETION, {"prompt": "MAIL", "suffix": "MAIL"}),
        (Operation.COMPLETION, {"prompt": ["MAIL", "MAIL"]}),
        (Operation.RESPONSES, {"instructions": "MAIL", "input": "MAIL"}),
        (Operation.RESPONSES, {"input": [{"content": [{"type": "input_text", "text": "MAIL"}]}]}),
        (Operation.RESPONSES, {"input": [{"type": "function_call_output", "output": "MAIL"}]}),
        (Operation.RESPONSES, {"input": [{"type": "reasoning", "summary": [{"text": "MAIL"}]}]}),
        (Operation.RESPONSES, {"prompt": {"id": "p", "variables": {"who": "MAIL"}}}),
        (Operation.MESSAGES, {"system": [{"type": "text", "text": "MAIL"}], "messages": []}),
        (
            Operation.MESSAGES,
            {
                "messages": [
                    {
                        "content": [
                            {"type": "tool_result", "content": [{"type": "text", "text": "MAIL"}]}
                        ]
                    }
                ]
            },
        ),
        (
            Operation.MESSAGES,
            {"messages": [{"content": [{"type": "tool_use", "input": {"a": ["MAIL"]}}]}]},
        ),
        (
            Operation.MESSAGES,
            {
                "messages": [
                    {"content": [{"type": "document", "source": {"type": "text", "data": "MAIL"}}]}
                ]
            },
        ),
        (Operation.EMBEDDING, {"input": ["MAIL"]}),
        (Operation.RERANK, {"query": "MAIL", "documents": ["MAIL", {"text": "MAIL"}]}),
        (Operation.IMAGE, {"prompt": "MAIL"}),
        (Operation.SPEECH, {"input": "MAIL"}),
    ],
)
def test_every_text_of_a_request_is_looked_at(operation: Operation, body: Any) -> None:
    written = json.dumps(body)

    seen = FORMATS.request(operation, written.replace("MAIL", MAIL).encode(), opens)

    assert json.loads(seen) == json.loads(written.replace("MAIL", SHOWN))


@pytest.mark.parametrize(
    "body",
    [
        {"model": MAIL, "user": MAIL, "metadata": {"text": MAIL}},
        {"messages": [{"role": MAIL, "name": MAIL, "tool_call_id": MAIL, "content": None}]},
        {
            "tools": [
                {"function": {"name": MAIL, "description": MAIL, "parameters": {"title": MAIL}}}
            ]
        },
        {"response_format": {"json_schema": {"schema": {"title": MAIL}}}, "stop": [MAIL]},
        {"text": {"format": {"schema": {"title": MAIL}}}},
        {"messages": [{"content": [{"type": "image_url", "image_url": {"url": MAIL}}]}]},
        {"messages": [{"content": [{"type": "thinking", "thinking": MAIL, "signature": "s"}]}]},
        {"input": [1, 2]},
    ],
)
def test_what_is_no_text_stays_as_it_is(body: Any) -> None:
    written = json.dumps(body).encode()

    assert FORMATS.request(Operation.CHAT, written, opens) is written


def test_numbers_that_tools_get_are_looked_at() -> None:
    block = {"type": "tool_use", "id": "1", "input": {"card": 4111111111111111, "n": 5, "on": True}}

    seen = FORMATS.answer(Operation.MESSAGES, json.dumps({"content": [block]}).encode(), opens)

    shown = json.loads(seen)["content"][0]["input"]
    assert shown == {"card": "[CREDIT_CARD]", "n": 5, "on": True}


def test_what_vouches_for_other_words_goes() -> None:
    thought = {"type": "thinking", "thinking": f"to {MAIL}", "signature": "s"}
    choice = {"message": {"content": MAIL}, "logprobs": {"content": [{"token": MAIL}]}}

    seen = FORMATS.answer(Operation.MESSAGES, json.dumps({"content": [thought]}).encode(), opens)
    chat = FORMATS.answer(Operation.CHAT, json.dumps({"choices": [choice]}).encode(), opens)

    block = json.loads(seen)["content"][0]
    assert (block["thinking"], block["signature"]) == ("to [EMAIL]", "")
    assert MAIL not in chat.decode()


def test_what_is_no_json_is_said_to_be_that() -> None:
    with pytest.raises(InvalidError):
        FORMATS.request(Operation.CHAT, b"{", opens)
    with pytest.raises(ProviderFailedError):
        FORMATS.answer(Operation.CHAT, b"{", opens)


@pytest.mark.parametrize(
    ("operation", "answer", "said"),
    [
        (Operation.CHAT, {"choices": [{"message": {"content": "a"}}]}, ["a"]),
        (Operation.CHAT, {"choices": [{"message": {"content": "a", "tool_calls": [1]}}]}, []),
        (Operation.COMPLETION, {"choices": [{"text": "a"}, {"text": "b"}]}, ["a", "b"]),
        (Operation.MESSAGES, {"content": [{"type": "text", "text": "a"}]}, ["a"]),
        (Operation.MESSAGES, {"content": [{"type": "tool_use"}]}, []),
        (
            Operation.RESPONSES,
            {"output": [{"type": "message", "content": [{"text": "a"}]}, {"type": "reasoning"}]},
            ["a"],
        ),
        (Operation.RESPONSES, {"output": [{"type": "function_call"}]}, []),
    ],
)
def test_what_an_answer_says_is_found(operation: Operation, answer: Any, said: list[str]) -> None:
    assert FORMATS.texts_of(operation, json.dumps(answer).encode()) == said


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ('{"age": 5}', None),
        ("five", "The answer is no JSON."),
        (
            '{"age": "five"}',
            (
                "The answer does not fit the schema of the route at '/age'"
                " (rule '/properties/age/type')."
            ),
        ),
    ],
)
def test_answers_are_held_against_the_schema(text: str, objection: str | None) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}}

    assert JsonSchemaValidators().objection(schema, text) == objection
    assert "cannot be used" in (JsonSchemaValidators().objection({"type": 7}, "{}") or "")
