"""Official clients, Stoa, and what OpenAI, Ollama and Cohere are sent and answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import httpx
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI, BadRequestError
from openai.types.chat import ChatCompletionMessageParam

from tests.fakes.media_wire import IMAGE_USAGE, a_sound, a_typed_event
from tests.fakes.ollama_wire import answer_of, stream_of
from tests.fakes.upstream import (
    LAST_CHUNK,
    Act,
    Upstream,
    answer,
    chunk,
    json_answer,
    running_upstream,
    stream_head,
)
from tests.fixtures.ledger import call_of
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

CONFIG = """
providers:
  - {name: openai, type: openai, base_url: "%(url)s/v1", api_key: sk-canary-0123456789}
  - {name: ollama, type: ollama, base_url: "%(url)s", keep_alive: "-1"}
  - {name: cohere, type: cohere, base_url: "%(url)s", api_key: co-canary-0123456789}
models:
  - name: heard
    provider: openai
    upstream_name: whisper-1
    kind: transcription
    prices: {second: "0.0001"}
  - name: voice
    provider: openai
    upstream_name: tts-1
    kind: speech
    prices: {character: "15"}
  - {name: picture, provider: openai, upstream_name: gpt-image-1, kind: image}
  - {name: qwen, provider: ollama, upstream_name: "qwen3:8b", options: {num_ctx: 4096}}
  - name: rerank
    provider: cohere
    upstream_name: rerank-v3.5
    kind: rerank
    prices: {request: "0.002"}
"""
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
MP3 = b"\xff\xfb\x90\x00" + bytes(range(256)) * 40


@dataclass
class World:
    stoa: StoaServer
    upstream: Upstream


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("upstream")
    async with running_upstream() as upstream:
        config = folder / "stoa.yaml"
        config.write_text(CONFIG % {"url": upstream.origin})
        stoa = StoaServer(data_dir=folder / "data", config=config)
        await asyncio.to_thread(stoa.start)
        yield World(stoa, upstream)
        await asyncio.to_thread(stoa.stop)


@pytest.fixture
def world(served: World) -> World:
    served.upstream.requests.clear()
    served.upstream.scripts.clear()
    return served


@pytest.fixture
async def openai(world: World) -> AsyncIterator[AsyncOpenAI]:
    stoa = world.stoa
    async with AsyncOpenAI(base_url=stoa.base_url, api_key=stoa.key, max_retries=0) as client:
        yield client


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {world.stoa.key}"}
    async with httpx.AsyncClient(base_url=world.stoa.url, headers=headers) as client:
        yield client


async def cost_of(world: World, call_id: str) -> Decimal:
    headers = {"authorization": f"Bearer {world.stoa.key}"}
    with httpx.Client(base_url=world.stoa.url, headers=headers) as client:
        call = await asyncio.to_thread(call_of, client, call_id)
    return Decimal(call["cost"])


async def test_a_recording_arrives_byte_for_byte(world: World, openai: AsyncOpenAI) -> None:
    sound = a_sound(3.0)
    world.upstream.play(json_answer(b'{"text":"hi","usage":{"type":"duration","seconds":3}}'))

    told = await openai.audio.transcriptions.with_raw_response.create(
        model="heard", file=("a.wav", sound), language="en"
    )

    seen = world.upstream.requests[0]
    assert told.parse().text == "hi"
    assert seen.target == "/v1/audio/transcriptions"
    assert sound in seen.body
    assert b'name="model"\r\n\r\nwhisper-1\r\n' in seen.body
    assert b'name="language"\r\n\r\nen\r\n' in seen.body
    assert await cost_of(world, told.headers["x-request-id"]) == Decimal("0.0003")


async def test_a_transcript_of_another_format_is_what_the_provider_wrote(
    world: World, openai: AsyncOpenAI
) -> None:
    subtitles = b"1\n00:00:00,000 --> 00:00:02,000\nhi\n\n"
    world.upstream.play(answer(subtitles, content_type="text/plain; charset=utf-8"))

    told = await openai.audio.transcriptions.create(
        model="heard", file=("a.wav", a_sound()), response_format="srt"
    )

    assert told == subtitles.decode()


async def test_sound_passes_through_as_it_arrives(world: World, openai: AsyncOpenAI) -> None:
    world.upstream.play(stream_head("audio/mpeg"), chunk(MP3[:99]), chunk(MP3[99:]), LAST_CHUNK)

    told = await openai.audio.speech.with_raw_response.create(
        model="voice", input="hello", voice="alloy"
    )

    assert told.content == MP3
    assert told.headers["content-type"] == "audio/mpeg"
    assert world.upstream.requests[0].json["model"] == "tts-1"
    assert await cost_of(world, told.headers["x-request-id"]) == Decimal("0.000075")


async def test_hanging_up_ends_the_work_of_the_provider(world: World, openai: AsyncOpenAI) -> None:
    world.upstream.play(stream_head("audio/mpeg"), chunk(MP3), Act.HANG)

    async with openai.audio.speech.with_streaming_response.create(
        model="voice", input="hello", voice="alloy"
    ) as told:
        await anext(told.iter_bytes(16))

    await asyncio.wait_for(world.upstream.requests[0].disconnected.wait(), PATIENCE_S)


async def test_what_a_provider_refuses_comes_back_in_its_words(
    world: World, openai: AsyncOpenAI
) -> None:
    error = {"message": "Your voice is unknown.", "type": "invalid_request_error", "param": "voice"}
    world.upstream.play(json_answer(json.dumps({"error": error}).encode(), status=400))

    with pytest.raises(BadRequestError, match=r"Your voice is unknown\.") as caught:
        await openai.audio.speech.create(model="voice", input="hello", voice="nobody")

    assert caught.value.param == "voice"


async def test_partial_images_come_to_the_official_client(
    world: World, openai: AsyncOpenAI
) -> None:
    partial = a_typed_event("image_generation.partial_image", b64_json="AA", partial_image_index=0)
    last = a_typed_event("image_generation.completed", b64_json="BB", usage=IMAGE_USAGE)
    world.upstream.play(stream_head(), chunk(partial), chunk(last), LAST_CHUNK)

    stream = await openai.images.generate(
        model="picture", prompt="x", stream=True, partial_images=1
    )
    told = [event.b64_json async for event in stream]

    assert told == ["AA", "BB"]


async def test_ollama_streams_to_openais_client(world: World, openai: AsyncOpenAI) -> None:
    lines = stream_of("hello", " there")
    world.upstream.play(stream_head("application/x-ndjson"), *map(chunk, lines), LAST_CHUNK)

    stream = await openai.chat.completions.create(
        model="qwen", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [one async for one in stream]

    seen = world.upstream.requests[0]
    assert seen.target == "/api/chat"
    assert seen.json["keep_alive"] == -1
    assert seen.json["options"] == {"num_ctx": 4096}
    text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert text == "hello there"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 15


async def test_ollama_answers_anthropics_client(world: World) -> None:
    world.upstream.play(json_answer(answer_of({"content": "hi", "thinking": "hm"})))

    async with AsyncAnthropic(base_url=world.stoa.url, api_key=world.stoa.key) as anthropic:
        message = await anthropic.messages.create(
            model="qwen", max_tokens=20, messages=[{"role": "user", "content": "hello"}]
        )

    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.usage.input_tokens == 12


async def test_what_ollama_cannot_do_is_refused_by_name(openai: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError) as caught:
        await openai.chat.completions.create(model="qwen", messages=HELLO, logit_bias={"5": 1})

    assert caught.value.param == "logit_bias"


async def test_cohere_ranks(world: World, http: httpx.AsyncClient) -> None:
    results = [{"index": 1, "relevance_score": 0.9}]
    body = {"id": "r", "results": results, "meta": {"billed_units": {"search_units": 1}}}
    world.upstream.play(json_answer(json.dumps(body).encode()))

    told = await http.post(
        "/v1/rerank", json={"model": "rerank", "query": "q", "documents": ["a", "b"], "top_n": 1}
    )

    assert world.upstream.requests[0].target == "/v2/rerank"
    assert told.json()["results"] == results
    assert await cost_of(world, told.headers["x-request-id"]) == Decimal("0.002")
