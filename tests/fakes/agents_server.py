"""A small server of OpenAI's chat for agents: it thinks, says what it does, and calls two tools at
once whose arguments come in pieces of each other."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
CITIES = ("Bern", "Rome")


@dataclass
class AgentsServer:
    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = json.loads(await request.read())
        self.seen.append(body)
        last = body["messages"][-1]
        calls = bool(body.get("tools")) and last["role"] != "tool"
        message: dict[str, Any] = {"role": "assistant", "content": "I look."}
        if calls:
            message |= {"reasoning_content": "Where?", "tool_calls": list(_calls(body))}
        else:
            said = [m["content"] for m in body["messages"] if m["role"] == last["role"]]
            message["content"] = " and ".join(one for one in said if isinstance(one, str))
        finish = "tool_calls" if calls else "stop"
        if body.get("stream"):
            return await _streamed(request, body, message, finish)
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return web.json_response(_head(body) | {"choices": [choice], "usage": USAGE})


def _calls(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name = body["tools"][0]["function"]["name"]
    for number, city in enumerate(CITIES):
        arguments = json.dumps({"city": city})
        function = {"name": name, "arguments": arguments}
        yield {"id": f"call_{number}", "type": "function", "function": function}


def _head(body: dict[str, Any]) -> dict[str, Any]:
    return {"id": "chatcmpl-up", "object": "chat.completion", "created": 5, "model": body["model"]}


async def _streamed(
    request: web.Request, body: dict[str, Any], message: dict[str, Any], finish: str
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    head = _head(body) | {"object": "chat.completion.chunk"}
    for delta in _deltas(message):
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        await response.write(_event(head | {"choices": [choice]}))
    closing = {"index": 0, "delta": {}, "finish_reason": finish}
    await response.write(_event(head | {"choices": [closing]}))
    if body.get("stream_options", {}).get("include_usage"):
        await response.write(_event(head | {"choices": [], "usage": USAGE}))
    await response.write(b"data: [DONE]\n\n")
    return response


def _deltas(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    if message.get("reasoning_content"):
        yield {"reasoning_content": message["reasoning_content"]}
    for word in message["content"].split(" "):
        yield {"content": f"{word} "}
    calls = message.get("tool_calls", [])
    for index, call in enumerate(calls):
        function = call["function"] | {"arguments": ""}
        yield {"tool_calls": [call | {"index": index, "function": function}]}
    for half in (slice(0, 5), slice(5, None)):
        for index, call in enumerate(calls):
            piece = call["function"]["arguments"][half]
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@asynccontextmanager
async def running_agents_server() -> AsyncIterator[AgentsServer]:
    server = AgentsServer()
    runner = web.AppRunner(server.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
