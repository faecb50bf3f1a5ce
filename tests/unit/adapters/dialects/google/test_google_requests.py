from typing import Any

import msgspec
import pytest

from adapters.dialects.google.dialect import GoogleDialect
from domain.inference.conversation.parts import (
    Audio,
    File,
    Foreign,
    Image,
    Inline,
    Part,
    Source,
    StoredFile,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    HostedTool,
    OutputFormat,
    OutputKind,
    Reasoning,
    Role,
    Sampling,
    ToolChoice,
    ToolMode,
    Turn,
)
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError
from tests.fakes.conversations import a_chat_model, asking, said
from tests.fakes.wire_failures import WireFailures

OLDER, NEWER = "gemini-2.5-flash", "gemini-3-pro-preview"
WEATHER = FunctionTool(
    name="weather",
    description="The weather in a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)


def written(request: GenerationRequest, upstream_name: str = OLDER) -> Any:
    dialect = GoogleDialect(WireFailures())
    return msgspec.json.decode(dialect.write_request(request, a_chat_model(upstream_name)))


def parts_of(*parts: Part) -> Any:
    return written(asking(said(Role.USER, *parts)))["contents"][0]["parts"]


def test_a_conversation_has_its_roles_and_one_instruction() -> None:
    body = written(
        asking(
            said(Role.SYSTEM, "Be brief."),
            said(Role.USER, "hello"),
            said(Role.ASSISTANT, "hi"),
            said(Role.DEVELOPER, "Be kind."),
            said(Role.USER, "bye"),
        )
    )

    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hello"}]},
            {"role": "model", "parts": [{"text": "hi"}]},
            {"role": "user", "parts": [{"text": "bye"}]},
        ],
    }


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            Image(source=Inline(media_type="image/png", data="aGk=")),
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        ),
        (
            Image(source=Url(url="https://example.com/a/cat.jpg?size=2")),
            {
                "fileData": {
                    "fileUri": "https://example.com/a/cat.jpg?size=2",
                    "mimeType": "image/jpeg",
                }
            },
        ),
        (
            Image(source=Url(url="https://example.com/cat")),
            {"fileData": {"fileUri": "https://example.com/cat"}},
        ),
        (
            Image(source=Url(url="data:image/png;base64,aGk%3D")),
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        ),
        (
            File(source=Inline(media_type="application/pdf", data="aGk="), name="a.pdf"),
            {"inlineData": {"mimeType": "application/pdf", "data": "aGk="}},
        ),
        (
            Audio(data="aGk=", format="wav"),
            {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}},
        ),
        (Foreign(dialect="google", json='{"executableCode":{}}'), {"executableCode": {}}),
    ],
    ids=["inline", "url", "url-without-type", "data-url", "file", "audio", "its-own"],
)
def test_media_go_inline_or_by_their_address(part: Part, expected: object) -> None:
    assert parts_of(part) == [expected]


@pytest.mark.parametrize(
    "source",
    [StoredFile(id="file-1"), Url(url="data:text/plain,hello")],
    ids=["stored", "data-url-in-text"],
)
def test_media_that_it_cannot_read_are_refused(source: Source) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        parts_of(Image(source=source))

    assert (caught.value.param or "").startswith("messages[0].")


def test_parallel_calls_and_their_results_stand_in_one_content_each() -> None:
    calls = (
        ToolCall(
            id="c1",
            name="weather",
            arguments='{"city": "Bern"}',
            opaque="c2ln",
            opaque_of="google",
        ),
        ToolCall(id="c2", name="weather", arguments=""),
    )
    body = written(
        asking(
            said(Role.USER, "where is it warm?"),
            said(Role.ASSISTANT, "I look."),
            said(Role.ASSISTANT, *calls),
            said(Role.TOOL, ToolResult(call_id="c1", parts=(Text(text="10"), Text(text="wet")))),
            said(Role.TOOL, ToolResult(call_id="c2", parts=(Text(text="no"),), is_error=True)),
            said(Role.USER, "well?"),
        )
    )

    assert body["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "I look."},
                {
                    "functionCall": {"id": "c1", "name": "weather", "args": {"city": "Bern"}},
                    "thoughtSignature": "c2ln",
                },
                {"functionCall": {"id": "c2", "name": "weather", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "c1",
                        "name": "weather",
                        "response": {"output": "10\nwet"},
                    }
                },
                {
                    "functionResponse": {
                        "id": "c2",
                        "name": "weather",
                        "response": {"error": "no"},
                    }
                },
            ],
        },
        {"role": "user", "parts": [{"text": "well?"}]},
    ]


def test_pictures_of_a_tool_stand_in_its_response() -> None:
    picture = Image(source=Inline(media_type="image/png", data="aGk="))
    body = written(asking(said(Role.TOOL, ToolResult(call_id="c1", name="look", parts=(picture,)))))

    assert body["contents"][0]["parts"][0]["functionResponse"]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    ]


@pytest.mark.parametrize(
    "turn",
    [
        said(Role.TOOL, ToolResult(call_id="c9", parts=())),
        said(Role.ASSISTANT, ToolCall(id="c1", name="x", arguments="[1]")),
        said(Role.ASSISTANT, ToolCall(id="c1", name="x", arguments="{")),
    ],
    ids=["result-without-call", "arguments-no-object", "arguments-no-json"],
)
def test_calls_that_make_no_sense_are_refused(turn: Turn) -> None:
    with pytest.raises(InvalidError) as caught:
        written(asking(turn))

    assert (caught.value.param or "").startswith("messages[0].")


def test_a_call_without_a_signature_is_marked_for_models_that_want_one() -> None:
    turn = said(
        Role.ASSISTANT,
        ToolCall(id="c1", name="x", arguments="{}", opaque="other", opaque_of="anthropic"),
        ToolCall(id="c2", name="x", arguments="{}"),
    )

    newer = written(asking(turn), NEWER)["contents"][0]["parts"]
    older = written(asking(turn), OLDER)["contents"][0]["parts"]

    assert newer[0]["thoughtSignature"] == "skip_thought_signature_validator"
    assert "thoughtSignature" not in newer[1]
    assert not any("thoughtSignature" in part for part in older)


def test_its_own_thoughts_go_back_and_those_of_others_stay_out() -> None:
    body = written(
        asking(
            said(
                Role.ASSISTANT,
                Thinking(text="hm", opaque="c2ln", opaque_of="google"),
                Thinking(text="elsewhere", opaque="x", opaque_of="anthropic"),
                Thinking(text="unsigned"),
                "yes",
                Thinking(opaque="c2ln", opaque_of="google"),
            )
        )
    )

    assert body["contents"][0]["parts"] == [
        {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "yes"},
        {"text": "", "thoughtSignature": "c2ln"},
    ]


def test_all_that_steers_the_answer_is_in_the_configuration() -> None:
    body = written(
        asking(
            sampling=Sampling(
                temperature=0.5,
                top_p=0.9,
                top_k=40,
                seed=7,
                presence_penalty=0.1,
                frequency_penalty=0.2,
                stop=("END",),
                logprobs=True,
                top_logprobs=3,
            ),
            max_output_tokens=100,
            choices=2,
            service_tier="flex",
            user="u-1",
            metadata={"a": "b"},
            extras={"store": True},
        )
    )

    assert body["serviceTier"] == "flex"
    assert body["generationConfig"] == {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "stopSequences": ["END"],
        "responseLogprobs": True,
        "logprobs": 3,
        "maxOutputTokens": 100,
        "candidateCount": 2,
    }


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (OutputFormat(kind=OutputKind.TEXT), None),
        (OutputFormat(kind=OutputKind.JSON), {"responseMimeType": "application/json"}),
        (
            OutputFormat(
                kind=OutputKind.JSON_SCHEMA,
                name="n",
                strict=True,
                schema={"type": "object"},
                description="A place.",
            ),
            {
                "responseMimeType": "application/json",
                "responseJsonSchema": {"type": "object", "description": "A place."},
            },
        ),
    ],
    ids=["text", "json", "schema"],
)
def test_output_has_the_form_that_was_asked_for(output: OutputFormat, expected: object) -> None:
    assert written(asking(output=output)).get("generationConfig") == expected


@pytest.mark.parametrize(
    ("reasoning", "upstream_name", "expected"),
    [
        (Reasoning(effort="none"), NEWER, {"thinkingBudget": 0}),
        (Reasoning(is_enabled=False), OLDER, {"thinkingBudget": 0}),
        (Reasoning(effort="low"), OLDER, {"thinkingBudget": 1024}),
        (Reasoning(effort="high"), f"models/{OLDER}", {"thinkingBudget": 24_576}),
        (Reasoning(effort="medium"), NEWER, {"thinkingLevel": "MEDIUM"}),
        (Reasoning(effort="max"), NEWER, {"thinkingLevel": "HIGH"}),
        (Reasoning(effort="xhigh"), OLDER, {"thinkingBudget": 24_576}),
        (
            Reasoning(effort="minimal", summary="auto"),
            NEWER,
            {"thinkingLevel": "MINIMAL", "includeThoughts": True},
        ),
        (Reasoning(budget_tokens=2000), OLDER, {"thinkingBudget": 2000, "includeThoughts": True}),
        (Reasoning(budget_tokens=2000, summary="omitted"), OLDER, {"thinkingBudget": 2000}),
        (Reasoning(is_adaptive=True), NEWER, {"thinkingBudget": -1, "includeThoughts": True}),
    ],
)
def test_thinking_is_measured_as_the_model_knows_it(
    reasoning: Reasoning, upstream_name: str, expected: object
) -> None:
    body = written(asking(reasoning=reasoning), upstream_name)

    assert body["generationConfig"] == {"thinkingConfig": expected}


def test_tools_are_declared_with_their_schema() -> None:
    body = written(asking(tools=(WEATHER, FunctionTool(name="now"))))

    assert body["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "weather",
                    "description": "The weather in a city.",
                    "parametersJsonSchema": WEATHER.parameters,
                },
                {"name": "now"},
            ]
        }
    ]
    assert "toolConfig" not in body


@pytest.mark.parametrize(
    ("choice", "strict", "expected"),
    [
        (ToolChoice(mode=ToolMode.AUTO), False, {"mode": "AUTO"}),
        (ToolChoice(mode=ToolMode.AUTO), True, {"mode": "VALIDATED"}),
        (None, True, {"mode": "VALIDATED"}),
        (ToolChoice(mode=ToolMode.NONE), False, {"mode": "NONE"}),
        (ToolChoice(mode=ToolMode.REQUIRED), True, {"mode": "ANY"}),
        (
            ToolChoice(mode=ToolMode.NAMED, name="now"),
            False,
            {"mode": "ANY", "allowedFunctionNames": ["now"]},
        ),
    ],
)
def test_the_choice_of_tools_has_a_mode(
    choice: ToolChoice | None, *, strict: bool, expected: object
) -> None:
    tool = FunctionTool(name="now", strict=strict)

    body = written(asking(tools=(tool,), tool_choice=choice))

    assert body["toolConfig"] == {"functionCallingConfig": expected}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"sampling": Sampling(logit_bias={"1": 2.0})}, "logit_bias"),
        ({"tools": (HostedTool(dialect="openai", type="web", definition={}),)}, "tools"),
        ({"verbosity": "low"}, "verbosity"),
        ({"reasoning": Reasoning(effort="huge")}, "reasoning_effort"),
        ({"extras": {"web_search_options": {}}}, "web_search_options"),
    ],
)
def test_what_it_has_no_words_for_is_refused_by_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        written(asking(**members))

    assert caught.value.param == param
    assert param in caught.value.message


@pytest.mark.parametrize(
    "turn",
    [
        said(Role.USER, Foreign(dialect="anthropic", json="{}")),
        said(Role.SYSTEM, Image(source=Url(url="https://example.com/a.png"))),
        Turn(role=Role.USER, parts=(Text(text="hi"),), name="anna"),
        said(
            Role.TOOL,
            ToolResult(
                call_id="c1",
                name="look",
                parts=(Image(source=Url(url="https://example.com/a.png")),),
            ),
        ),
    ],
    ids=["foreign", "picture-as-instruction", "named-speaker", "linked-picture-of-a-tool"],
)
def test_content_that_it_has_no_words_for_is_refused(turn: Turn) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        written(asking(turn))

    assert (caught.value.param or "").startswith("messages[0].")


def test_an_empty_turn_of_the_assistant_is_left_out() -> None:
    body = written(asking(said(Role.USER, "hi"), said(Role.ASSISTANT), said(Role.USER, "ho")))

    assert [content["role"] for content in body["contents"]] == ["user", "user"]


def test_a_tier_that_it_does_not_know_is_left_out() -> None:
    assert "serviceTier" not in written(asking(service_tier="scale"))


def test_an_operator_says_what_google_is_to_block() -> None:
    settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    dialect = GoogleDialect(WireFailures())

    body = dialect.write_request(asking(), a_chat_model(OLDER, safety_settings=settings))

    assert msgspec.json.decode(body)["safetySettings"] == settings
    with pytest.raises(InvalidError, match="safety_settings"):
        dialect.write_request(asking(), a_chat_model(OLDER, safety_settings="none"))
