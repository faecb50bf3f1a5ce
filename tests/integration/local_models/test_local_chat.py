import json
import time
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from adapters.providers.local.provider import LocalProvider
from domain.inference.errors import ContextLengthExceededError, UnsupportedByModelError
from domain.models.errors import WrongModelKindError
from domain.shared.errors import InvalidError
from tests.fakes.local_models import (
    ADD,
    MINILM,
    chat_request,
    joined_content,
    read_events,
)

pytestmark = pytest.mark.local_model


async def chat(provider: LocalProvider, **body: Any) -> dict[str, Any]:
    answer = await provider.complete(chat_request(**body))
    decoded: dict[str, Any] = json.loads(answer.body)
    return decoded


async def test_answers_a_question_in_openais_shape(provider: LocalProvider) -> None:
    answer = await provider.complete(chat_request(temperature=0, max_tokens=30))

    body = json.loads(answer.body)
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert "Paris" in body["choices"][0]["message"]["content"]
    assert body["choices"][0]["finish_reason"] == answer.finish_reason == "stop"
    assert body["usage"]["prompt_tokens"] == answer.usage.prompt_tokens > 0
    assert body["usage"]["completion_tokens"] == answer.usage.completion_tokens > 0
    assert not answer.usage.counted


async def test_the_official_client_understands_everything(provider: LocalProvider) -> None:
    asked = {"tools": [ADD], "tool_choice": "required", "max_tokens": 100, "seed": 1}
    plain = {"max_tokens": 3, "logprobs": True, "top_logprobs": 1, "n": 2}
    for body in (asked, plain):
        answer = await provider.complete(chat_request(**body))
        stream = await provider.open_stream(chat_request(stream=True, include_usage=True, **body))
        events = await read_events(stream)

        ChatCompletion.model_validate_json(answer.body, strict=True)
        for event in events:
            ChatCompletionChunk.model_validate_json(json.dumps(event), strict=True)


async def test_answers_with_the_alias_that_was_asked_for(provider: LocalProvider) -> None:
    body = await chat(provider, model="smollm2", max_tokens=1)

    assert body["model"] == "smollm2"
    assert body["choices"][0]["finish_reason"] == "length"


async def test_streams_the_same_text_with_usage_at_the_end(provider: LocalProvider) -> None:
    whole = await chat(provider, temperature=0, max_tokens=12)
    stream = await provider.open_stream(
        chat_request(stream=True, include_usage=True, temperature=0, max_tokens=12)
    )

    events = await read_events(stream)

    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert joined_content(events) == whole["choices"][0]["message"]["content"]
    assert events[-1]["choices"] == []
    assert events[-1]["usage"]["completion_tokens"] == stream.report.usage.completion_tokens > 0
    assert all(event["usage"] is None for event in events[:-1])
    assert stream.report.finish_reason == "stop"


async def test_withholds_the_usage_chunk_that_nobody_asked_for(provider: LocalProvider) -> None:
    stream = await provider.open_stream(chat_request(stream=True, max_tokens=3))

    events = await read_events(stream)

    assert not any("usage" in event for event in events)
    assert stream.report.usage.completion_tokens == 3


async def test_a_repeated_prompt_is_cached(provider: LocalProvider) -> None:
    first = await provider.complete(chat_request(max_tokens=1))
    second = await provider.complete(chat_request(max_tokens=1))

    assert second.usage.cached_tokens >= first.usage.prompt_tokens - 1


async def test_the_same_seed_gives_the_same_text(provider: LocalProvider) -> None:
    wild = {"temperature": 1.5, "max_tokens": 12, "seed": 7}

    texts = [(await chat(provider, **wild))["choices"][0]["message"]["content"] for _ in range(2)]
    other = (await chat(provider, **wild | {"seed": 8}))["choices"][0]["message"]["content"]

    assert texts[0] == texts[1] != other


async def test_stops_before_a_stop_sequence(provider: LocalProvider) -> None:
    body = await chat(provider, temperature=0, max_tokens=30, stop=[" Paris", "never"])

    assert body["choices"][0]["message"]["content"] == "The capital of France is"
    assert body["choices"][0]["finish_reason"] == "stop"


async def test_several_choices_share_the_price_of_the_prompt(provider: LocalProvider) -> None:
    one = await provider.complete(chat_request(max_tokens=4))
    two = await provider.complete(chat_request(max_tokens=4, n=2, temperature=1.5, seed=3))

    choices = json.loads(two.body)["choices"]
    assert [choice["index"] for choice in choices] == [0, 1]
    assert choices[0]["message"]["content"] != choices[1]["message"]["content"]
    assert two.usage.prompt_tokens == one.usage.prompt_tokens
    assert two.usage.completion_tokens == 8


async def test_streams_several_choices(provider: LocalProvider) -> None:
    stream = await provider.open_stream(chat_request(stream=True, n=2, max_tokens=3, seed=3))

    events = await read_events(stream)

    assert joined_content(events, 0)
    assert joined_content(events, 1)
    finished = [c["index"] for e in events for c in e["choices"] if c["finish_reason"]]
    assert finished == [0, 1]


async def test_reports_log_probabilities(provider: LocalProvider) -> None:
    body = await chat(provider, temperature=0, max_tokens=3, logprobs=True, top_logprobs=2)

    content = body["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in content) == "The capital of"
    assert all(set(e) == {"token", "logprob", "bytes", "top_logprobs"} for e in content)
    assert all(len(entry["top_logprobs"]) == 2 for entry in content)
    assert bytes(content[0]["bytes"]) == b"The"


async def test_log_probabilities_come_without_alternatives(provider: LocalProvider) -> None:
    body = await chat(provider, temperature=0, max_tokens=1, logprobs=True)

    assert body["choices"][0]["logprobs"]["content"][0]["top_logprobs"] == []


async def test_a_bias_forbids_a_token(provider: LocalProvider) -> None:
    body = await chat(provider, temperature=0, max_tokens=1, logit_bias={"504": -100})

    assert body["choices"][0]["message"]["content"] != "The"


async def test_refuses_a_prompt_that_does_not_fit(provider: LocalProvider) -> None:
    long = [{"role": "user", "content": "hello " * 3000}]

    with pytest.raises(ContextLengthExceededError, match="maximum context length is 2048 tokens"):
        await chat(provider, messages=long)
    with pytest.raises(ContextLengthExceededError) as raised:
        await provider.open_stream(chat_request(stream=True, messages=long))

    assert raised.value.param == "messages"


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": role, "content": "a"} for role in ("user", "assistant") * 20_000],
        [{"role": "user", "content": "x" * 5_000_000}],
    ],
    ids=["many", "long"],
)
async def test_does_not_work_through_a_prompt_that_cannot_fit(
    provider: LocalProvider, messages: list[dict[str, str]]
) -> None:
    began = time.monotonic()

    with pytest.raises(ContextLengthExceededError, match="2048 tokens"):
        await chat(provider, messages=messages)

    assert time.monotonic() - began < 60


async def test_refuses_what_the_engine_cannot_parse(provider: LocalProvider) -> None:
    with pytest.raises(InvalidError) as raised:
        await chat(provider, min_p="much")

    assert raised.value.param == "min_p"


async def test_refuses_pictures(provider: LocalProvider) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}

    with pytest.raises(UnsupportedByModelError) as raised:
        await chat(provider, messages=[{"role": "user", "content": [picture]}])

    assert raised.value.param == "messages"


async def test_an_embedding_model_does_not_chat(provider: LocalProvider) -> None:
    with pytest.raises(WrongModelKindError):
        await provider.complete(chat_request(MINILM))
