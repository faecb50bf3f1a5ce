"""A small server that speaks OpenAI's API, faithfully or with the faults that a test asks for."""

import base64
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.fakes.openai_media_server import MEDIA_MODELS, FakeMedia

MODELS = ("vectors", "talker", *MEDIA_MODELS)
VECTOR = (0.25, -0.5, 1.0)
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


@dataclass
class FakeOpenAIServer:
    """``faults`` switch off promises by name; ``seen_keys`` are the credentials that came,
    ``seen_paths`` what they came for."""

    key: str | None = "sk-fake-canary-1234567890"
    faults: frozenset[str] = frozenset()
    url: str = ""
    seen_keys: list[str] = field(default_factory=list)
    seen_paths: set[str] = field(default_factory=set)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{name}", self._model)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/v1/embeddings", self._embed)
        FakeMedia(self.faults).add_to(app)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("authorization", "")
        self.seen_keys.append(given)
        self.seen_paths.add(request.path)
        if self.key and given != f"Bearer {self.key}" and "open-door" not in self.faults:
            return self._error(401, f"Incorrect API key provided: {given}.")
        return await handler(request)

    async def _models(self, _: web.Request) -> web.Response:
        names = MODELS[:2] if "texts-only" in self.faults else MODELS
        data = [{"id": name, "object": "model", "owned_by": "fake"} for name in names]
        return web.json_response({"object": "list", "data": data})

    async def _model(self, request: web.Request) -> web.Response:
        if request.match_info["name"] not in MODELS:
            return self._error(404, "There is no such model.")
        return web.json_response({"id": request.match_info["name"], "object": "model"})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
        except ValueError:
            return self._error(400, "We could not parse the JSON body of your request.")
        if not isinstance(body.get("messages"), list):
            return self._error(400, "Invalid type for 'messages'.")
        if body["model"] != "talker":
            return self._error(404, "There is no such chat model.")
        if body.get("stream"):
            return await self._stream(request, body)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello."},
            "finish_reason": "stop",
        }
        completion = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "choices": [choice],
            "usage": {**USAGE, "total_tokens": 99} if "wrong-sum" in self.faults else USAGE,
        }
        return web.json_response(completion)

    async def _complete(self, request: web.Request) -> web.Response:
        if "chats-only" in self.faults:
            return self._error(404, "This is a chat model.")
        body = await request.json()
        text = body["prompt"] if "no-text" not in self.faults else None
        choice = {"index": 0, "text": text, "finish_reason": "stop"}
        completion = {"object": "text_completion", "choices": [choice], "usage": USAGE}
        return web.json_response(completion)

    async def _stream(self, request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        choices: list[list[dict[str, object]]] = [
            [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}}],
            [{"index": 0, "delta": {"content": "lo."}, "finish_reason": "stop"}],
        ]
        if body.get("stream_options"):
            choices.append([])
        await response.write(b": ping\n\n")
        for choice in choices:
            chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": choice}
            usage = {} if choice else {"usage": USAGE}
            await response.write(f"data: {json.dumps(chunk | usage)}\n\n".encode())
        if "no-done" not in self.faults:
            await response.write(b"data: [DONE]\n\n")
        return response

    async def _embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["model"] != "vectors":
            return self._error(400, "This model does not embed.")
        packed = struct.pack("<3f", *VECTOR) + (b"x" if "odd-base64" in self.faults else b"")
        coded = base64.b64encode(packed).decode()
        vector = coded if body.get("encoding_format") == "base64" else list(VECTOR)
        data = [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, _ in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 2, "total_tokens": 2}
        return web.json_response({"object": "list", "data": data, "usage": usage})

    def _error(self, status: int, message: str) -> web.Response:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        if "short-envelope" in self.faults:
            del error["param"]
        return web.json_response({"error": error}, status=status)


@asynccontextmanager
async def running_openai_server(
    *faults: str, key: str | None = FakeOpenAIServer.key
) -> AsyncIterator[FakeOpenAIServer]:
    server = FakeOpenAIServer(key=key, faults=frozenset(faults))
    runner = web.AppRunner(server.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
