"""Guardrails of routes, as official clients see them: in both directions, streamed and not."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.fakes.media_wire import a_sound
from tests.fixtures.ledger import call_of
from tests.fixtures.server import StoaServer, serving

CONFIG = """
providers:
  - {name: script, type: scripted}
models:
  - {name: echo, provider: script, prices: {input: "1", output: "1"}}
  - {name: wild, provider: script, options: {reply: "once upon a time a hydra came along"}}
  - {name: person, provider: script, options: {reply: '{"name": "Ann"}'}}
  - name: sender
    provider: script
    options: {tool_call: {name: send, arguments: {to: ann@example.com}}}
  - name: ear
    provider: script
    kind: transcription
    options: {transcript: please write to ann@example.com today}
routes:
  - {name: listening, kind: transcription, targets: [ear], guardrails: {pii: [email]}}
  - {name: inward, targets: [echo], guardrails: {pii: [email], on_output: false}}
  - {name: outward, targets: [echo], guardrails: {pii: [email], on_input: false}}
  - {name: calling, targets: [sender], guardrails: {pii: [email]}}
  - {name: tame, targets: [wild], guardrails: {denied: [hydra]}}
  - {name: short, targets: [echo], guardrails: {max_input: 10}}
  - {name: typed, targets: [echo], guardrails: {output_schema: {type: object}}}
  - {name: fitting, targets: [person], guardrails: {output_schema: {type: object}}}
"""
MAIL = "please write to ann@example.com today"
SHOWN = "please write to [EMAIL] today"
SEND: Any = {"type": "function", "function": {"name": "send", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
async def guarding_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoaServer]:
    folder: Path = tmp_path_factory.mktemp("guarding")
    async with serving(folder, CONFIG) as server:
        yield server


@pytest.fixture
def client(guarding_server: StoaServer) -> Iterator[OpenAI]:
    with OpenAI(
        base_url=guarding_server.base_url, api_key=guarding_server.key, max_retries=0
    ) as client:
        yield client


@pytest.fixture
def messages(guarding_server: StoaServer) -> Iterator[Anthropic]:
    with Anthropic(
        base_url=guarding_server.url, api_key=guarding_server.key, max_retries=0
    ) as client:
        yield client


def asking(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def row_of(server: StoaServer, call_id: str) -> dict[str, Any]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        client.headers["authorization"] = f"Bearer {server.key}"
        return call_of(client, call_id)


@pytest.mark.parametrize("model", ["inward", "outward"])
def test_personal_data_is_redacted_in_both_directions(
    guarding_server: StoaServer, client: OpenAI, messages: Anthropic, model: str
) -> None:
    chat = client.chat.completions.with_raw_response.create(**asking(model, MAIL))
    pieces = client.chat.completions.create(**asking(model, MAIL), stream=True)
    streamed = "".join(one.choices[0].delta.content or "" for one in pieces if one.choices)
    message = messages.messages.create(**asking(model, MAIL), max_tokens=99)
    with messages.messages.stream(**asking(model, MAIL), max_tokens=99) as events:
        told = events.get_final_text()
    response = client.responses.create(model=model, input=MAIL)
    with client.responses.stream(model=model, input=MAIL) as typed:
        final = typed.get_final_response().output_text

    stage = "input" if model == "inward" else "output"
    block = message.content[0]
    said = [chat.parse().choices[0].message.content, streamed, getattr(block, "text", ""), told]
    assert [*said, response.output_text, final] == [SHOWN] * 6
    assert chat.headers["x-stoa-guardrails"] == f"{stage} pii:email redacted 1"
    row = row_of(guarding_server, chat.headers["x-stoa-call-id"])
    assert row["guardrails"] == [
        {"stage": stage, "rule": "pii:email", "action": "redacted", "count": 1}
    ]


def test_what_tools_are_called_with_is_redacted(client: OpenAI, messages: Anthropic) -> None:
    asked = asking("calling", "go")
    answer = client.chat.completions.create(**asked, tools=[SEND])
    pieces: Any = client.chat.completions.create(**asked, tools=[SEND], stream=True)
    streamed = "".join(
        call.function.arguments or ""
        for piece in pieces
        for choice in piece.choices
        for call in choice.delta.tool_calls or ()
        if call.function
    )
    tool: Any = {"name": "send", "input_schema": {"type": "object"}}
    with messages.messages.stream(**asked, max_tokens=99, tools=[tool]) as events:
        block: Any = events.get_final_message().content[-1]

    calls: Any = answer.choices[0].message.tool_calls
    assert calls[0].function.arguments == streamed == '{"to":"[EMAIL]"}'
    assert block.input == {"to": "[EMAIL]"}


def test_a_denied_word_refuses_the_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(**asking("tame", "where is the Hydra?"))

    assert error.value.code == "content_refused"
    assert error.value.response.headers["x-stoa-guardrails"] == "input denied refused 1"
    assert "ydra" not in error.value.response.text


def test_a_denied_word_ends_the_answer(
    guarding_server: StoaServer, client: OpenAI, messages: Anthropic
) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**asking("tame", "a story"))
    raw = client.chat.completions.with_raw_response.create(**asking("tame", "a story"), stream=True)
    chunks = list(raw.parse())
    with messages.messages.stream(**asking("tame", "a story"), max_tokens=99) as events:
        message = events.get_final_message()
    with client.responses.stream(model="tame", input="a story") as typed:
        last = list(typed)[-1]

    text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert text.startswith("once")
    assert "hydra" not in text
    assert chunks[-1].choices[0].finish_reason == "content_filter"
    assert message.stop_reason == "refusal"
    assert last.type == "response.incomplete"
    row = row_of(guarding_server, raw.headers["x-stoa-call-id"])
    assert row["finish_reason"] == "content_filter"
    assert row["guardrails"][0]["action"] == "refused"


def test_a_request_may_be_too_long(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="max_input"):
        client.chat.completions.create(**asking("short", "far too long"))


def test_answers_have_to_fit_the_schema(client: OpenAI) -> None:
    fitting = client.chat.completions.create(**asking("fitting", "who?"))
    pieces = list(client.chat.completions.create(**asking("fitting", "who?"), stream=True))
    with pytest.raises(openai.InternalServerError, match="no JSON"):
        client.chat.completions.create(**asking("typed", "who?"))
    with pytest.raises(openai.APIError, match="no JSON"):
        list(client.chat.completions.create(**asking("typed", "who?"), stream=True))

    assert fitting.choices[0].message.content == '{"name": "Ann"}'
    assert pieces[-1].choices[0].finish_reason == "stop"


def test_a_team_guards_all_its_calls(
    guarding_server: StoaServer, client: OpenAI, messages: Anthropic
) -> None:
    rules = {"pii": ["iban"], "denied": ["chimera"]}
    with httpx.Client(base_url=guarding_server.url, timeout=30) as api:
        api.headers["authorization"] = f"Bearer {guarding_server.key}"
        shown = api.patch("/api/v1/settings", json={"guardrails": rules})
        wrong = api.patch("/api/v1/settings", json={"guardrails": {"pii": ["shoe_size"]}})
        chat = client.chat.completions.create(**asking("echo", "to DE89370400440532013000"))
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(**asking("inward", "a chimera"))
        message = messages.messages.create(**asking("inward", MAIL), max_tokens=99)
        reset = api.patch("/api/v1/settings", json={"guardrails": None})
        free = client.chat.completions.create(**asking("echo", "a chimera"))

    assert (shown.status_code, wrong.status_code, reset.status_code) == (200, 400, 200)
    (setting,) = shown.json()["groups"][0]["settings"]
    assert (setting["name"], setting["value"], setting["scope"]) == ("guardrails", rules, "team")
    assert chat.choices[0].message.content == "to [IBAN]"
    assert refused.value.code == "content_refused"
    assert getattr(message.content[0], "text", "") == SHOWN
    assert free.choices[0].message.content == "a chimera"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_what_is_stored_of_a_response_is_what_guardrails_left(
    client: OpenAI, *, is_streamed: bool
) -> None:
    def respond(text: str, **members: Any) -> Any:
        asked = {"model": "inward", "instructions": MAIL, "input": text} | members
        if not is_streamed:
            return client.responses.create(**asked)
        with client.responses.stream(**asked) as events:
            return events.get_final_response()

    first = respond(MAIL, metadata={"who": "ann@example.com"})
    second = respond(f"again: {MAIL}", previous_response_id=first.id)

    stored = [client.responses.retrieve(one.id).model_dump_json() for one in (first, second)]
    items = [client.responses.input_items.list(one.id) for one in (first, second)]
    told = [page.model_dump_json() for page in items]
    assert [len(page.data) for page in items] == [1, 1]
    assert "again: " + SHOWN in told[1]
    assert "[EMAIL]" in first.metadata["who"]
    assert "ann@" not in "".join([*stored, *told, first.to_json(), second.to_json()])


@pytest.mark.parametrize("called", ["application/x-www-form-urlencoded", "text/plain", "image/png"])
def test_what_a_client_calls_its_body_makes_no_difference(
    guarding_server: StoaServer, called: str
) -> None:
    headers = {"authorization": f"Bearer {guarding_server.key}", "content-type": called}
    body = json.dumps(asking("inward", MAIL)).encode()

    answer = httpx.post(
        f"{guarding_server.base_url}/chat/completions", content=body, headers=headers
    )

    assert answer.json()["choices"][0]["message"]["content"] == SHOWN


@pytest.mark.parametrize("form", ["json", "text", "verbose_json"])
def test_transcripts_are_looked_at(client: OpenAI, form: Any) -> None:
    asked: Any = {"model": "listening", "file": ("a.wav", a_sound(), "audio/wav")}

    whole = client.audio.transcriptions.create(**asked, response_format=form)
    events: Any = client.audio.transcriptions.create(**asked, stream=True)
    pieces = list(events)

    assert SHOWN in getattr(whole, "text", whole)
    assert "ann@" not in str(whole)
    assert "".join(one.delta for one in pieces[:-1]).strip() == pieces[-1].text == SHOWN
