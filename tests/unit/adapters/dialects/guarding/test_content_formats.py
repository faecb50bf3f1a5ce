import asyncio
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
        (Operation.RERANK, {"query": "q", "documents": [{"name": "MAIL", "MAIL": {"at": "MAIL"}}]}),
        (Operation.CHAT, {"user": "MAIL", "safety_identifier": "MAIL", "metadata": {"a": "MAIL"}}),
        (Operation.CHAT, {"tools": [{"function": {"name": "f", "description": "to MAIL"}}]}),
        (
            Operation.CHAT,
            {"tools": [{"parameters": {"properties": {"a": {"description": "MAIL"}}}}]},
        ),
        (Operation.CHAT, {"messages": [{"tool_calls": [{"custom": {"input": "MAIL"}}]}]}),
        (Operation.MESSAGES, {"metadata": {"user_id": "MAIL"}, "messages": []}),
        (
            Operation.MESSAGES,
            {"messages": [{"content": [{"type": "tool_use", "input": {"MAIL": 1}}]}]},
        ),
        (Operation.RESPONSES, {"input": [{"type": "code_interpreter_call", "code": "MAIL"}]}),
        (Operation.RESPONSES, {"input": [{"action": {"type": "search", "query": "MAIL"}}]}),
        (Operation.RESPONSES, {"input": [{"action": {"type": "exec", "command": ["to", "MAIL"]}}]}),
        (Operation.RESPONSES, {"input": [{"type": "file_search_call", "queries": ["MAIL"]}]}),
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
        {"model": MAIL},
        {"messages": [{"role": MAIL, "name": MAIL, "tool_call_id": MAIL, "content": None}]},
        {
            "tools": [{"function": {"name": MAIL, "parameters": {"title": MAIL}}}],
            "functions": [{"name": MAIL}],
        },
        {"response_format": {"json_schema": {"schema": {"title": MAIL}}}, "stop": [MAIL]},
        {"text": {"format": {"schema": {"title": MAIL}}}},
        {"messages": [{"content": [{"type": "image_url", "image_url": {"url": MAIL}}]}]},
        {"messages": [{"content": [{"type": "thinking", "thinking": MAIL, "signature": "s"}]}]},
        {"input": [1, 2]},
    ],
)
def test_what_is_no_text_stays_as_it_is(body: Any) -> None:
    seen = FORMATS.request(Operation.CHAT, json.dumps(body).encode(), opens)

    assert json.loads(seen) == body


def test_a_name_that_stands_there_twice_goes_on_once() -> None:
    seen = FORMATS.request(Operation.CHAT, b'{"user":"ann@example.com","user":"me"}', opens)

    assert seen == b'{"user":"me"}'


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
    with pytest.raises(InvalidError):
        FORMATS.request(Operation.CHAT, b'{"messages":"\xff"}', opens)
    with pytest.raises(ProviderFailedError):
        FORMATS.answer(Operation.CHAT, b"{", opens)
    with pytest.raises(ProviderFailedError):
        FORMATS.texts_of(Operation.MESSAGES, b"[]")
    with pytest.raises(ProviderFailedError):
        FORMATS.texts_of(Operation.RESPONSES, b'{"output":[{}]}')


def test_a_response_repeats_its_request_as_it_was() -> None:
    response = {"object": "response", "instructions": MAIL, "output": [{"text": MAIL}]}

    seen = FORMATS.answer(Operation.RESPONSES, json.dumps(response).encode(), opens)

    assert json.loads(seen) == {**response, "output": [{"text": SHOWN}]}


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


TOO_MUCH = "must not have more than 4000 parts, with all that it refers to"
TREE = {
    "$defs": {"n": {"type": "object", "properties": {s: {"$ref": "#/$defs/n"} for s in "lr"}}},
    "$ref": "#/$defs/n",
}


def doubling(times: int) -> dict[str, Any]:
    """Each definition names the next one twice."""
    definitions: dict[str, Any] = {
        f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(times)
    }
    return {"$ref": "#/$defs/a0", "$defs": definitions | {f"a{times}": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, None),
        ({"type": "objct"}, "must be a valid JSON schema (at '/type')"),
        ({"$ref": "#/nowhere"}, "must be a valid JSON schema"),
        ({"$ref": "file:///etc/hostname"}, "must be a valid JSON schema"),
        ({"$ref": "#/$defs/a~1b/allOf/0", "$defs": {"a/b": {"allOf": [{}]}}}, None),
        ({"$ref": "#a", "$defs": {"x": {"$anchor": "a"}}}, None),
        (TREE, None),
        (doubling(8), None),
        (doubling(14), TOO_MUCH),
        (doubling(200), TOO_MUCH),
        (
            {"$id": "https://a.example/s", "$ref": "https://a.example/s"},
            "must refer to its own parts only, as '#/…' or '#anchor'",
        ),
    ],
)
def test_schemas_are_checked_themselves(schema: dict[str, object], problem: str | None) -> None:
    assert JsonSchemaValidators().problem(schema) == problem


async def test_a_schema_fetches_nothing() -> None:
    came: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: came.append(writer), "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/schema.json"

        problem = await asyncio.to_thread(JsonSchemaValidators().problem, {"$ref": url})

    assert (problem, came) == ("must be a valid JSON schema", [])
