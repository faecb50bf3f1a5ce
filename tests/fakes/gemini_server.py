"""A small server that speaks Gemini's API, as strict about requests as the real one."""

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.gemini_wire import answer_of, candidate, error_of, event

KEY = "AIza-e2e-canary-0123456789"
USAGE = {"promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 20}
_MEASURES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "batchEmbedContents": lambda body: {
        "embeddings": [{"values": [0.6, 0.8]} for _ in body["requests"]]
    },
    "countTokens": lambda body: {
        "totalTokens": len(body["generateContentRequest"]["contents"][0]["parts"][0]["text"])
    },
}
_MEMBERS = {
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
    "serviceTier",
}
_CONFIG = {
    "temperature",
    "topP",
    "topK",
    "maxOutputTokens",
    "stopSequences",
    "seed",
    "candidateCount",
    "responseMimeType",
    "responseJsonSchema",
    "thinkingConfig",
}


@dataclass
class GeminiServer:
    """Calls the first tool that it is offered and tells its result, follows a schema, describes
    pictures, and repeats what else it is told. ``seen`` are the bodies that came."""

    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1beta/models/{model}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        model, _, verb = request.match_info["model"].partition(":")
        if request.headers.get("x-goog-api-key") != KEY or "key" in request.query:
            return _error(400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID")
        body = json.loads(await request.read())
        self.seen.append(body)
        if verb in _MEASURES:
            return web.json_response(_MEASURES[verb](body))
        if model != "gemini-3-flash":
            return _error(404, "NOT_FOUND", f"models/{model} is not found.")
        try:
            _check_names(body)
            parts = list(_parts(body))
        except ValueError as error:
            return _error(400, "INVALID_ARGUMENT", str(error))
        if verb == "streamGenerateContent":
            return await _stream(request, parts)
        return web.Response(body=answer_of(candidate(*parts, finish="STOP"), usage=USAGE))


def _check_names(body: dict[str, Any]) -> None:
    unknown = (set(body) - _MEMBERS) | (set(body.get("generationConfig", {})) - _CONFIG)
    if unknown:
        raise ValueError(f'Unknown name "{min(unknown)}".')


def _parts(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    config = body.get("generationConfig", {})
    if config.get("thinkingConfig", {}).get("includeThoughts"):
        yield {"text": "Let me see. ", "thought": True}
    last = body["contents"][-1]["parts"]
    results = [part["functionResponse"] for part in last if "functionResponse" in part]
    pictures = [part["inlineData"] for part in last if "inlineData" in part]
    if results:
        _check_signature(body["contents"][-2]["parts"])
        yield from _text(" and ".join(result["response"]["output"] for result in results))
    elif "tools" in body:
        declaration = body["tools"][0]["functionDeclarations"][0]
        for number, city in enumerate(("Bern", "Rome")):
            call = {"functionCall": {"name": declaration["name"], "args": {"city": city}}}
            yield call if number else {**call, "thoughtSignature": "c2lnbmF0dXJl"}
    elif config.get("responseJsonSchema"):
        yield from _text(json.dumps({"city": "Bern"}))
    elif pictures:
        sizes = [len(base64.b64decode(picture["data"])) for picture in pictures]
        yield from _text(f"I see {pictures[0]['mimeType']} of {sizes[0]} bytes.")
    else:
        yield from _text(last[-1]["text"])


def _check_signature(parts: list[dict[str, Any]]) -> None:
    calls = [part for part in parts if "functionCall" in part]
    if not calls or calls[0].get("thoughtSignature") != "c2lnbmF0dXJl":
        raise ValueError("Function call is missing a thought_signature.")


def _text(text: str) -> Iterator[dict[str, Any]]:
    half = len(text) // 2
    yield {"text": text[:half]}
    yield {"text": text[half:]}


async def _stream(request: web.Request, parts: list[dict[str, Any]]) -> web.StreamResponse:
    assert request.query["alt"] == "sse"
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    *first, last = parts
    for part in first:
        await response.write(event(answer_of(candidate(part), usage=None)))
    await response.write(event(answer_of(candidate(last, finish="STOP"), usage=USAGE)))
    return response


def _error(code: int, status: str, message: str, reason: str | None = None) -> web.Response:
    details = [{"reason": reason}] if reason else []
    return web.Response(status=code, body=error_of(code, status, message, *details))


@asynccontextmanager
async def running_gemini() -> AsyncIterator[GeminiServer]:
    server = GeminiServer()
    runner = web.AppRunner(server.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1beta"
    try:
        yield server
    finally:
        await runner.cleanup()
