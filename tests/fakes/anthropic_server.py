"""A small server that speaks Anthropic's API: it echoes, thinks, calls tools and follows schemas as
it is asked to."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.anthropic_wire import delta, error_of, opened, sse, usage_of

KEY = "sk-ant-fake-canary-0123456789"
BUSY = "claude-busy"
USAGE = usage_of(10, 20, cache_read_input_tokens=80, cache_creation_input_tokens=10)

Block = dict[str, Any]


@dataclass
class AnthropicServer:
    """``seen`` are the requests that came, with their headers."""

    url: str = ""
    request_id: str = "req_up"
    seen: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/messages", self._answer)
        app.router.add_post("/v1/messages/count_tokens", self._count)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await self._take(request)
        if KEY not in (request.headers.get("x-api-key"), _bearer(request)):
            return _error(401, "authentication_error", "invalid x-api-key")
        if not isinstance(body["messages"], list):
            return _error(400, "invalid_request_error", "messages: Input should be a valid list")
        if body["model"] == BUSY:
            return _error(529, "overloaded_error", "Overloaded")
        content = list(_content(body))
        stop = "tool_use" if content[-1]["type"] == "tool_use" else "end_turn"
        if body.get("stream"):
            return await _streamed(request, body["model"], content, stop)
        whole = _message(body["model"], content, stop)
        headers = {"request-id": self.request_id} if self.request_id else {}
        return web.json_response(whole, headers=headers)

    async def _count(self, request: web.Request) -> web.Response:
        await self._take(request)
        return web.json_response({"input_tokens": 42})

    async def _take(self, request: web.Request) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(await request.read())
        self.seen.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return body


def _bearer(request: web.Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _content(body: dict[str, Any]) -> Iterator[Block]:
    if body.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        yield {"type": "thinking", "thinking": "let me see", "signature": "signed"}
    last = body["messages"][-1]["content"]
    blocks = [{"type": "text", "text": last}] if isinstance(last, str) else last
    results = [block for block in blocks if block["type"] == "tool_result"]
    if results:
        said = [block["content"] for block in results]
        texts = (one if isinstance(one, str) else one[0]["text"] for one in said)
        yield {"type": "text", "text": " and ".join(texts)}
    elif body.get("tools"):
        for number, city in enumerate(("Bern", "Rome")):
            name = body["tools"][0]["name"]
            yield {"type": "tool_use", "id": f"t{number}", "name": name, "input": {"city": city}}
    elif body.get("output_config", {}).get("format"):
        yield {"type": "text", "text": '{"city":"Bern"}'}
    else:
        kinds = [block["type"] for block in blocks if block["type"] != "text"]
        text = "".join(block.get("text", "") for block in blocks)
        yield {"type": "text", "text": " ".join([text, *kinds])}


def _message(model: str, content: list[Block], stop: str | None) -> dict[str, Any]:
    return {
        "id": "msg_up",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": USAGE,
    }


async def _streamed(
    request: web.Request, model: str, content: list[Block], stop: str
) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"content-type": "text/event-stream", "request-id": "req_up"}
    )
    await response.prepare(request)
    start = _message(model, [], None) | {"usage": USAGE | {"output_tokens": 1}}
    await response.write(sse("message_start", message=start))
    for index, block in enumerate(content):
        for event in _events(index, block):
            await response.write(event)
    said = {"stop_reason": stop, "stop_sequence": None}
    await response.write(sse("message_delta", delta=said, usage={"output_tokens": 20}))
    await response.write(sse("message_stop"))
    return response


def _events(index: int, block: Block) -> Iterator[bytes]:
    match block["type"]:
        case "text":
            yield opened(index, block | {"text": ""})
            for word in block["text"].split(" "):
                yield delta(index, "text_delta", text=f"{word} ")
        case "thinking":
            yield opened(index, block | {"thinking": "", "signature": ""})
            yield delta(index, "thinking_delta", thinking=block["thinking"])
            yield delta(index, "signature_delta", signature=block["signature"])
        case _:
            yield opened(index, block | {"input": {}})
            arguments = json.dumps(block["input"])
            for piece in (arguments[:5], arguments[5:]):
                yield delta(index, "input_json_delta", partial_json=piece)
    yield sse("content_block_stop", index=index)


def _error(status: int, kind: str, said: str) -> web.Response:
    return web.Response(status=status, body=error_of(kind, said), content_type="application/json")


@asynccontextmanager
async def running_anthropic() -> AsyncIterator[AnthropicServer]:
    server = AnthropicServer()
    runner = web.AppRunner(server.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
