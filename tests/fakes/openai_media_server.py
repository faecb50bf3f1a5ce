"""What a small server of OpenAI's API has beside texts."""

from aiohttp import web

MEDIA_MODELS = ("ranker", "moderator", "painter", "tts", "whisper")
RESULTS = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]


class FakeMedia:
    """``faults`` switch off promises by name."""

    def __init__(self, faults: frozenset[str]) -> None:
        self._faults = faults

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/v1/rerank", self._rank)
        app.router.add_post("/v1/moderations", self._moderate)
        app.router.add_post("/v1/images/generations", self._draw)
        app.router.add_post("/v1/audio/speech", self._speak)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)

    async def _rank(self, request: web.Request) -> web.Response:
        results = RESULTS[::-1] if "worst-first" in self._faults else RESULTS
        return await self._answer(request, "ranker", {"results": results})

    async def _moderate(self, request: web.Request) -> web.Response:
        said: dict[str, object] = {} if "no-verdict" in self._faults else {"flagged": False}
        result = said | {"categories": {"violence": False}}
        return await self._answer(request, "moderator", {"results": [result, result]})

    async def _draw(self, request: web.Request) -> web.Response:
        drawn = {} if "no-picture" in self._faults else {"b64_json": "AA=="}
        return await self._answer(request, "painter", {"data": [drawn]})

    async def _speak(self, request: web.Request) -> web.Response:
        answer = await self._answer(request, "tts", {})
        if answer.status != web.HTTPOk.status_code or "mute" in self._faults:
            return answer
        return web.Response(body=b"sound", content_type="audio/mpeg")

    async def _transcribe(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form["model"] != "whisper":
            return self._refusal(404)
        heard = isinstance(form["file"], web.FileField) and "deaf" not in self._faults
        return web.json_response({"text": "a porch"} if heard else {})

    async def _answer(
        self, request: web.Request, model: str, body: dict[str, object]
    ) -> web.Response:
        if (await request.json())["model"] != model:
            return self._refusal(404)
        if "all-broken" in self._faults:
            return self._refusal(500)
        return web.json_response(body)

    def _refusal(self, status: int) -> web.Response:
        error = {"message": "no", "type": "x", "param": None, "code": None}
        return web.json_response({"error": error}, status=status)
