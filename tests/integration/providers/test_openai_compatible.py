"""What the provider does with the bytes of a real server, over the pool."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import msgspec
import pytest

from adapters.providers.openai_compatible.provider import OpenAICompatibleProvider
from adapters.providers.openai_compatible.texts import TEXT_OPERATIONS
from adapters.providers.transport.endpoint import Timeouts
from adapters.providers.transport.pool import PoolTransport
from application.inference.ports import Operation
from domain.inference.errors import (
    ProviderFailedError,
    ProviderRejectedError,
    ProviderTimedOutError,
    ProviderUnreachableError,
)
from domain.shared.errors import InvalidError, StoaError
from domain.shared.usage import Usage
from tests.fakes.openai_wire import (
    DONE,
    UPSTREAM_NAME,
    a_request,
    chunk_event,
    openai_stream,
    streamed,
)
from tests.fakes.upstream import (
    LAST_CHUNK,
    Act,
    Pause,
    Upstream,
    answer,
    chunk,
    json_answer,
    running_upstream,
    stream_head,
)
from tests.fixtures.patience import PATIENCE_S

SECRET = "sk-canary-0123456789"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as server:
        server.default = [json_answer(b'{"choices":[]}')]
        yield server


@pytest.fixture
async def provider(upstream: Upstream) -> AsyncIterator[OpenAICompatibleProvider]:
    built = a_provider(upstream.base_url)
    yield built
    await built.stop()


def a_provider(
    base_url: str,
    *,
    timeouts: Timeouts | None = None,
    headers: Mapping[str, str] | None = None,
    api_key: str | None = SECRET,
) -> OpenAICompatibleProvider:
    return OpenAICompatibleProvider(
        name="acme",
        base_url=base_url,
        api_key=api_key,
        transport=PoolTransport(),
        timeouts=timeouts,
        headers=headers,
    )


async def collect(provider: OpenAICompatibleProvider, *, include_usage: bool = False) -> bytes:
    stream = await provider.open_stream(a_request(stream=True, include_usage=include_usage))
    return b"".join([block async for block in stream])


@pytest.mark.parametrize("operation", sorted(TEXT_OPERATIONS))
async def test_sends_what_the_server_needs(upstream: Upstream, operation: Operation) -> None:
    provider = a_provider(f"{upstream.base_url}/", headers={"X-Team": "stoics"})

    await provider.complete(a_request(operation=operation, input="x", prompt="x", top_k=[1.0]))

    seen = upstream.requests[0]
    assert seen.target == f"/v1/{operation}"
    assert seen.headers["authorization"] == f"Bearer {SECRET}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept"] == "application/json"
    assert seen.headers["x-correlation-id"] == "c-1"
    assert seen.headers["user-agent"].startswith("stoa/")
    assert seen.headers["x-team"] == "stoics"
    assert seen.json["model"] == UPSTREAM_NAME
    assert seen.json["top_k"] == [1.0]
    await provider.stop()


async def test_asks_for_a_stream_with_usage(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    upstream.play(*streamed(openai_stream("one")))

    await collect(provider)

    seen = upstream.requests[0]
    assert seen.headers["accept"] == "text/event-stream"
    assert seen.json["stream"] is True
    assert seen.json["stream_options"] == {"include_usage": True}


async def test_a_server_without_keys_gets_none(upstream: Upstream) -> None:
    provider = a_provider(upstream.base_url, api_key=None)

    await provider.complete(a_request())

    assert "authorization" not in upstream.requests[0].headers
    await provider.stop()


async def test_configured_headers_win(upstream: Upstream) -> None:
    provider = a_provider(
        f"{upstream.base_url}?api-version=1", headers={"Authorization": "Basic eDp5"}
    )

    await provider.complete(a_request())

    assert upstream.requests[0].headers["authorization"] == "Basic eDp5"
    assert upstream.requests[0].target == "/v1/chat/completions?api-version=1"
    await provider.stop()


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "bad name"])
def test_refuses_headers_that_are_not_the_operators_to_set(name: str) -> None:
    with pytest.raises(InvalidError):
        a_provider("http://example.test/v1", headers={name: "x"})


@pytest.mark.parametrize("space", ["", "  "])
async def test_a_stream_that_dribbles_is_the_same_stream(
    upstream: Upstream, provider: OpenAICompatibleProvider, space: str
) -> None:
    upstream.dribble = True
    events = openai_stream("one", f"{space}two")
    upstream.play(*streamed(events))

    body = await collect(provider, include_usage=True)

    renamed = b"".join(events).replace(UPSTREAM_NAME.encode(), b"large")
    assert body == renamed


async def test_a_stream_gives_its_connection_back(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    for _ in range(3):
        upstream.play(*streamed(openai_stream("one"))[:-1], Pause(0.01), LAST_CHUNK)
        await collect(provider)
        await asyncio.sleep(0.03)

    assert upstream.connections == 1


async def test_the_first_event_is_out_before_the_second_is_in(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    upstream.play(stream_head(), chunk(chunk_event({"content": "one"})), Act.HANG)
    stream = await provider.open_stream(a_request(stream=True))

    block = await asyncio.wait_for(anext(aiter(stream)), PATIENCE_S)

    assert b'"one"' in block
    await stream.aclose()


async def test_half_an_event_waits_for_the_other_half(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    event = chunk_event({"content": "one"})
    upstream.play(
        stream_head(),
        chunk(event[:40]),
        Pause(0.02),
        chunk(event[40:] + DONE),
        LAST_CHUNK,
    )

    body = await collect(provider)

    assert body.count(b"\n\n") == 2


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (json_answer(b'{"error":{"message":"no","code":400}}'), ProviderRejectedError),
        (json_answer(b'{"error":{"message":"boom"}}'), ProviderFailedError),
        (json_answer(b'{"choices":[{"message":{"content":"all"}}]}'), ProviderFailedError),
        (json_answer(b"not json"), ProviderFailedError),
        (answer(b"<html>", content_type="text/html"), ProviderFailedError),
        (answer(b"", status=204), ProviderFailedError),
        (answer(b"", status=302, headers=["location: /login"]), ProviderFailedError),
    ],
    ids=["refusal", "error", "whole answer", "junk", "html", "empty", "redirect"],
)
async def test_what_is_no_stream_is_not_opened(
    upstream: Upstream,
    provider: OpenAICompatibleProvider,
    raw: bytes,
    kind: type[StoaError],
) -> None:
    upstream.play(raw)

    with pytest.raises(StoaError) as caught:
        await provider.open_stream(a_request(stream=True))

    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"<html>maintenance</html>", content_type="text/html"),
        answer(b"", status=204),
        answer(b"", status=307, headers=["location: /v2"]),
    ],
    ids=["html", "empty", "redirect"],
)
async def test_what_is_no_answer_is_a_failure(
    upstream: Upstream, provider: OpenAICompatibleProvider, raw: bytes
) -> None:
    upstream.play(raw)

    with pytest.raises(ProviderFailedError):
        await provider.complete(a_request())


@pytest.mark.parametrize(
    "raw",
    [
        json_answer(b'{"error":{"message":"no"}}', status=400, headers=["x-request-id: req-no"]),
        json_answer(b'{"error":{"message":"no"}}', headers=["x-request-id: req-no"]),
        answer(b"<html>", content_type="text/html", headers=["x-request-id: req-no"]),
        answer(b"", status=307, headers=["location: /v2", "x-request-id: req-no"]),
        answer(b"", status=503, headers=["x-request-id: req-no"]),
    ],
    ids=["refusal", "error in a 200", "junk", "redirect", "overload"],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_says_what_the_provider_calls_the_request(
    upstream: Upstream, provider: OpenAICompatibleProvider, raw: bytes, stream: bool
) -> None:
    upstream.play(raw)

    with pytest.raises(StoaError) as caught:
        await (collect(provider) if stream else provider.complete(a_request()))

    assert caught.value.provider_request_id == "req-no"


async def test_an_endless_error_is_still_that_error(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    head = b"HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n"
    upstream.play(head, Act.FLOOD)

    with pytest.raises(ProviderRejectedError, match="HTTP 400"):
        await provider.complete(a_request())


async def test_an_endless_stream_is_aborted_within_a_second(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    event = chunk(chunk_event({"content": "more"}) * 20)
    upstream.play(stream_head(), *[event] * 100_000)
    stream = await provider.open_stream(a_request(stream=True))
    await anext(aiter(stream))

    await stream.aclose()

    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)
    assert stream.report.usage.completion_tokens > 0


async def test_comments_alone_do_not_keep_a_stream_alive_for_ever(upstream: Upstream) -> None:
    provider = a_provider(upstream.base_url, timeouts=Timeouts(first_byte=0.2))
    upstream.play(
        stream_head(), *[step for _ in range(100) for step in (chunk(b": wait\n\n"), Pause(0.02))]
    )
    stream = await provider.open_stream(a_request(stream=True))

    with pytest.raises(ProviderTimedOutError):
        await anext(aiter(stream))

    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)
    await provider.stop()


async def test_a_break_after_the_finish_is_an_end(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    upstream.play(*streamed(openai_stream("one")[:-1])[:-1], Act.CLOSE)

    body = await collect(provider)

    assert body.endswith(DONE)


async def test_usage_is_counted_where_none_is_reported(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    upstream.play(*streamed(openai_stream("one", " two", usage=None)))
    stream = await provider.open_stream(a_request(stream=True))

    async for _ in stream:
        pass

    messages = msgspec.json.encode([{"role": "user", "content": "hello there world"}])
    assert stream.report.usage == Usage(
        prompt_tokens=-(-len(messages) // 4), completion_tokens=2, counted=True
    )


async def test_an_unreachable_server_names_the_provider_only() -> None:
    async with running_upstream() as gone:
        base_url = gone.base_url
    provider = a_provider(base_url)

    with pytest.raises(ProviderUnreachableError) as caught:
        await provider.complete(a_request())

    assert "acme" in caught.value.message
    assert "127.0.0.1" not in caught.value.message
    await provider.stop()


@pytest.fixture
async def reticent(upstream: Upstream) -> AsyncIterator[OpenAICompatibleProvider]:
    """For a server that refuses to be asked for the usage of a stream."""
    built = OpenAICompatibleProvider(
        name="acme",
        base_url=upstream.base_url,
        api_key=None,
        transport=PoolTransport(),
        stream_usage=False,
    )
    yield built
    await built.stop()


async def test_a_server_that_knows_no_stream_options_gets_none(
    upstream: Upstream, reticent: OpenAICompatibleProvider
) -> None:
    upstream.play(*streamed(openai_stream("one", " two", usage=None)))
    request = a_request(stream=True, stream_options={"include_usage": False})
    stream = await reticent.open_stream(request)

    blocks = b"".join([block async for block in stream])

    assert "stream_options" not in upstream.requests[0].json
    assert b'"usage"' not in blocks
    assert stream.report.usage == Usage(prompt_tokens=12, completion_tokens=2, counted=True)


async def test_usage_that_the_client_wants_and_the_server_does_not_tell_is_counted(
    upstream: Upstream, reticent: OpenAICompatibleProvider
) -> None:
    upstream.play(*streamed(openai_stream("one", " two", usage=None)))

    blocks = (await collect(reticent, include_usage=True)).split(b"\n\n")

    assert blocks[-2] == DONE.strip()
    chunk = msgspec.json.decode(blocks[-3].removeprefix(b"data: "))
    assert chunk["id"] == "chatcmpl-1"
    assert chunk["model"] == "large"
    assert chunk["choices"] == []
    assert chunk["usage"] == {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}


async def test_usage_that_comes_all_the_same_is_told_once(
    upstream: Upstream, reticent: OpenAICompatibleProvider
) -> None:
    upstream.play(*streamed(openai_stream("one")))

    blocks = await collect(reticent, include_usage=True)

    assert blocks.count(b'"total_tokens"') == 1
