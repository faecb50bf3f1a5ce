"""OpenAI, Azure and Mistral as their configuration builds them, against a real server."""

from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from adapters.providers.azure_openai.configuration import AzureOpenAIProviderDefinition
from adapters.providers.definition import ProviderDefinition
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.mistral.configuration import MistralProviderDefinition
from adapters.providers.openai.configuration import OpenAIProviderDefinition
from application.inference.ports import ModelProvider, Operation
from domain.inference.errors import ProviderRejectedError, UnsupportedByModelError
from domain.shared.errors import StoaError
from domain.shared.usage import Usage
from tests.fakes.openai_like_bench import surroundings
from tests.fakes.openai_wire import UPSTREAM_NAME, a_request, chunk_event, streamed
from tests.fakes.upstream import Upstream, json_answer, running_upstream

SECRET = "canary-0123456789"
ANSWER = json_answer(b'{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}')

Build = Callable[[ProviderDefinition], ModelProvider]


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as server:
        server.default = [ANSWER]
        yield server


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    built: list[ModelProvider] = []

    def building(definition: ProviderDefinition) -> ModelProvider:
        built.append(definition.build((), surroundings()))
        return built[-1]

    yield building
    for provider in built:
        await provider.stop()


def openai(upstream: Upstream, **fields: str) -> ProviderDefinition:
    http = HttpConfiguration(base_url=upstream.base_url, api_key=SECRET)
    return OpenAIProviderDefinition(name="openai", http=http, **fields)


def azure(upstream: Upstream, path: str = "", version: str | None = None) -> ProviderDefinition:
    http = HttpConfiguration(base_url=upstream.origin + path, api_key=SECRET)
    return AzureOpenAIProviderDefinition(name="azure", http=http, api_version=version)


def mistral(upstream: Upstream) -> ProviderDefinition:
    http = HttpConfiguration(base_url=upstream.base_url, api_key=SECRET)
    return MistralProviderDefinition(name="mistral", http=http)


async def test_openai_is_told_whom_to_bill(upstream: Upstream, build: Build) -> None:
    provider = build(openai(upstream, organization="org-1", project="proj-1"))

    await provider.complete(a_request())

    headers = upstream.requests[0].headers
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert headers["openai-organization"] == "org-1"
    assert headers["openai-project"] == "proj-1"


async def test_openai_does_not_rerank(upstream: Upstream, build: Build) -> None:
    provider = build(openai(upstream))

    with pytest.raises(UnsupportedByModelError, match="'openai' does not offer 'rerank'"):
        await provider.complete(a_request(operation=Operation.RERANK, query="q", documents=["a"]))


@pytest.mark.parametrize(
    ("path", "version", "target"),
    [
        ("", None, "/openai/v1/chat/completions"),
        ("/openai", None, "/openai/v1/chat/completions"),
        ("/openai/v1", "v1", "/openai/v1/chat/completions"),
        ("", "preview", "/openai/v1/chat/completions?api-version=preview"),
        (
            "",
            "2024-10-21",
            f"/openai/deployments/{UPSTREAM_NAME}/chat/completions?api-version=2024-10-21",
        ),
    ],
)
async def test_azure_is_asked_where_its_version_is(
    upstream: Upstream, build: Build, path: str, version: str | None, target: str
) -> None:
    provider = build(azure(upstream, path, version))

    await provider.complete(a_request())

    seen = upstream.requests[0]
    assert seen.target == target
    assert seen.headers["api-key"] == SECRET
    assert "authorization" not in seen.headers
    assert seen.json["model"] == UPSTREAM_NAME


async def test_what_azure_filters_is_a_refusal_that_says_why(
    upstream: Upstream, build: Build
) -> None:
    result = {
        "hate": {"filtered": False, "severity": "safe"},
        "violence": {"filtered": True, "severity": "medium"},
    }
    error = {
        "message": "The response was filtered due to the prompt.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": result,
        },
    }
    upstream.play(json_answer(msgspec.json.encode({"error": error}), status=400))

    with pytest.raises(ProviderRejectedError, match=r"\(Filtered: violence\.\)") as caught:
        await build(azure(upstream)).complete(a_request())

    assert caught.value.provider_code == "content_filter"


@pytest.mark.parametrize("inner", [None, {}, {"content_filter_result": [1]}])
async def test_a_filter_that_does_not_say_why_is_a_refusal_all_the_same(
    upstream: Upstream, build: Build, inner: object
) -> None:
    error = {"message": "Filtered.", "code": "content_filter", "innererror": inner}
    upstream.play(json_answer(msgspec.json.encode({"error": error}), status=400))

    with pytest.raises(ProviderRejectedError, match=r"^Filtered\.\nHTTP"):
        await build(azure(upstream)).complete(a_request())


async def test_what_mistral_does_not_know_is_named(upstream: Upstream, build: Build) -> None:
    problem = {
        "type": "extra_forbidden",
        "loc": ["body", "oddity"],
        "msg": "Extra inputs are not permitted",
        "input": 1,
    }
    body = {
        "object": "error",
        "message": {"detail": [problem]},
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    upstream.play(json_answer(msgspec.json.encode(body), status=422))

    with pytest.raises(ProviderRejectedError, match="oddity: Extra inputs") as caught:
        await build(mistral(upstream)).complete(a_request(oddity=1))

    assert caught.value.param == "oddity"


async def test_mistral_is_not_asked_for_usage_and_tells_it(
    upstream: Upstream, build: Build
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    last = chunk_event({"content": "hi"}, finish_reason="stop", usage=usage)
    upstream.play(*streamed([last, b"data: [DONE]\n\n"]))

    stream = await build(mistral(upstream)).open_stream(a_request(stream=True, include_usage=True))
    blocks = b"".join([block async for block in stream])

    assert "stream_options" not in upstream.requests[0].json
    assert blocks.count(b'"total_tokens"') == 1
    assert stream.report.usage == Usage(prompt_tokens=9, completion_tokens=1)


THOUGHT = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
    {"type": "text", "text": "hi"},
]


async def test_thoughts_of_mistral_are_told_beside_the_text(
    upstream: Upstream, build: Build
) -> None:
    choice = {"message": {"role": "assistant", "content": THOUGHT}, "finish_reason": "stop"}
    upstream.play(json_answer(msgspec.json.encode({"id": "x", "choices": [choice]})))

    answer = await build(mistral(upstream)).complete(a_request())

    said = msgspec.json.decode(answer.body)["choices"][0]["message"]
    assert said == {"role": "assistant", "content": "hi", "reasoning_content": "hm"}


async def test_thoughts_of_mistral_are_streamed_beside_the_text(
    upstream: Upstream, build: Build
) -> None:
    events = [
        chunk_event({"content": THOUGHT[:1]}),
        chunk_event({"content": "hi"}, finish_reason="stop"),
        b"data: [DONE]\n\n",
    ]
    upstream.play(*streamed(events))

    stream = await build(mistral(upstream)).open_stream(a_request(stream=True))
    blocks = [block async for block in stream]
    await stream.aclose()

    first = msgspec.json.decode(blocks[0].split(b"\n\n")[0].removeprefix(b"data: "))
    assert first["choices"][0]["delta"] == {"content": "", "reasoning_content": "hm"}
    assert b'"content":"hi"' in b"".join(blocks)


async def test_results_of_mistrals_moderation_say_whether_they_are_flagged(
    upstream: Upstream, build: Build
) -> None:
    results = [
        {"categories": {"violence": True, "pii": False}, "category_scores": {"violence": 0.9}},
        {"categories": {"violence": False, "pii": False}, "category_scores": {"violence": 0.1}},
    ]
    upstream.play(json_answer(msgspec.json.encode({"id": "m", "results": results})))

    answer = await build(mistral(upstream)).complete(
        a_request(operation=Operation.MODERATION, input=["a", "b"])
    )

    assert upstream.requests[0].target == "/v1/moderations"
    told = msgspec.json.decode(answer.body)["results"]
    assert [result["flagged"] for result in told] == [True, False]


@pytest.mark.parametrize("define", [openai, azure, mistral])
async def test_no_failure_shows_the_key(
    upstream: Upstream, build: Build, define: Callable[[Upstream], ProviderDefinition]
) -> None:
    body = msgspec.json.encode({"error": {"message": f"no, {SECRET}", "type": SECRET}})
    upstream.play(json_answer(body, status=400))

    with pytest.raises(StoaError) as caught:
        await build(define(upstream)).complete(a_request())

    assert SECRET not in f"{caught.value} {getattr(caught.value, '__notes__', [])}"
