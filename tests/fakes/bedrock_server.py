"""A small server that speaks Bedrock's Converse, as strict about requests as the real one."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.bedrock_wire import EVENT_STREAM, converse_answer, event

ACCESS_KEY, SECRET = "AKIAE2E", "aws-e2e-canary-0123456789"
USAGE = {
    "inputTokens": 50,
    "outputTokens": 20,
    "totalTokens": 120,
    "cacheReadInputTokens": 40,
    "cacheWriteInputTokens": 10,
}
MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
_SCOPE = "/eu-central-1/bedrock/aws4_request"
_MEMBERS = {
    "messages",
    "system",
    "inferenceConfig",
    "toolConfig",
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "outputConfig",
    "serviceTier",
}


@dataclass
class BedrockServer:
    """Calls the first tool that it is offered and tells its result, follows a schema, describes
    pictures, and repeats what else it is told. ``seen`` are the bodies that came."""

    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/model/{model}/{verb}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("authorization", "")
        if not given.startswith(f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/") or (
            _SCOPE not in given or "x-amz-date" not in request.headers
        ):
            return _error(403, "The security token included in the request is invalid.")
        body = json.loads(await request.read())
        self.seen.append(body)
        if request.match_info["model"] != MODEL:
            return _error(400, "The provided model identifier is invalid.")
        roles = [message["role"] for message in body["messages"]]
        if set(body) - _MEMBERS or roles != (["user", "assistant"] * len(roles))[: len(roles)]:
            return _error(400, "Malformed input request.")
        blocks = list(_blocks(body))
        stop = "tool_use" if "toolUse" in blocks[-1] else "end_turn"
        if request.match_info["verb"] == "converse-stream":
            return await _stream(request, blocks, stop)
        answer = converse_answer(*blocks, stop=stop, usage=USAGE)
        return web.Response(
            body=answer,
            content_type="application/json",
            headers={"x-amzn-requestid": "aws-1"},
        )


def _blocks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    fields = body.get("additionalModelRequestFields", {})
    if fields.get("thinking", {}).get("type") == "enabled":
        signed = {"text": "Let me see.", "signature": "c2lnbmF0dXJl"}
        yield {"reasoningContent": {"reasoningText": signed}}
    last = body["messages"][-1]["content"]
    results = [block["toolResult"] for block in last if "toolResult" in block]
    pictures = [block["image"] for block in last if "image" in block]
    if results:
        yield {"text": " and ".join(result["content"][0]["text"] for result in results)}
    elif "toolConfig" in body:
        spec = body["toolConfig"]["tools"][0]["toolSpec"]
        for number, city in enumerate(("Bern", "Rome")):
            use = {"toolUseId": f"tooluse_{number}", "name": spec["name"], "input": {"city": city}}
            yield {"toolUse": use}
    elif "outputConfig" in body:
        yield {"text": json.dumps({"city": "Bern"})}
    elif pictures:
        size = len(base64.b64decode(pictures[0]["source"]["bytes"]))
        yield {"text": f"I see image/{pictures[0]['format']} of {size} bytes."}
    else:
        yield {"text": last[-1]["text"]}


async def _stream(
    request: web.Request, blocks: list[dict[str, Any]], stop: str
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": EVENT_STREAM})
    await response.prepare(request)
    await response.write(event("messageStart", role="assistant"))
    for index, block in enumerate(blocks):
        for kind, members in _events(block):
            await response.write(event(kind, contentBlockIndex=index, **members))
        await response.write(event("contentBlockStop", contentBlockIndex=index))
    await response.write(event("messageStop", stopReason=stop))
    await response.write(event("metadata", usage=USAGE, metrics={"latencyMs": 1}))
    return response


def _events(block: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    more = "contentBlockDelta"
    if "toolUse" in block:
        use = dict(block["toolUse"])
        arguments = json.dumps(use.pop("input"))
        yield "contentBlockStart", {"start": {"toolUse": use}}
        for piece in (arguments[:5], arguments[5:]):
            yield more, {"delta": {"toolUse": {"input": piece}}}
    elif "reasoningContent" in block:
        for name, value in block["reasoningContent"]["reasoningText"].items():
            yield more, {"delta": {"reasoningContent": {name: value}}}
    else:
        text = block["text"]
        for piece in (text[:5], text[5:]):
            yield more, {"delta": {"text": piece}}


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


@asynccontextmanager
async def running_bedrock() -> AsyncIterator[BedrockServer]:
    server = BedrockServer()
    runner = web.AppRunner(server.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
