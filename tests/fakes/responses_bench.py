"""A server that speaks OpenAI's Responses API, behind a provider as its configuration builds it."""

from typing import Any

import msgspec

from adapters.providers.transport.choice import TransportKind
from domain.models.served_model import ServedModel
from tests.fakes.openai_like_bench import Define, http_of, surroundings
from tests.fakes.openai_wire import UPSTREAM_NAME, a_model
from tests.fakes.upstream import (
    LAST_CHUNK,
    Act,
    Pause,
    Step,
    Upstream,
    chunk,
    json_answer,
    stream_head,
)

USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}
_ID = "x-request-id: req-up"
_HEAD = stream_head(f"text/event-stream\r\n{_ID}")


class ResponsesBench:
    def __init__(
        self, upstream: Upstream, kind: TransportKind, *, secret: str, define: Define
    ) -> None:
        self.upstream = upstream
        self._secret = secret
        definition = define(http=http_of(upstream, kind, secret=secret))
        self.provider = definition.build((), surroundings())

    def says(self, *words: str) -> ServedModel:
        response = _response("".join(words))
        self.upstream.default = [json_answer(msgspec.json.encode(response), headers=[_ID])]
        end = _event("response.completed", 99, response=response)
        self.upstream.streamed = [_HEAD, *_said(words), end, LAST_CHUNK]
        return a_model()

    def fails(self, status: int) -> ServedModel:
        body = msgspec.json.encode({"error": {"message": f"no, {self._secret}", "type": "x"}})
        self.upstream.default = self.upstream.streamed = [json_answer(body, status=status)]
        return a_model()

    def hangs(self) -> ServedModel:
        self.upstream.default, self.upstream.streamed = [Act.HANG], [_HEAD, Act.HANG]
        return a_model()

    def drips(self) -> ServedModel:
        return self._streams(*_said(("one",)), Act.HANG)

    def cuts_after(self, *words: str) -> ServedModel:
        return self._streams(*_said(words), Pause(0.01), Act.CLOSE)

    def embeds(self) -> ServedModel:
        item = {"object": "embedding", "index": 0, "embedding": [0.6, 0.8]}
        body = {"object": "list", "data": [item], "usage": {"prompt_tokens": 3}}
        self.upstream.default = [json_answer(msgspec.json.encode(body), headers=[_ID])]
        return a_model()

    async def aborted(self) -> None:
        await self.upstream.requests[-1].disconnected.wait()

    def _streams(self, *steps: Step) -> ServedModel:
        self.upstream.default = self.upstream.streamed = [_HEAD, *steps]
        return a_model()


def _response(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": UPSTREAM_NAME,
        "status": "completed",
        "output": [message | {"content": [part]}],
        "usage": USAGE,
    }


def _said(words: tuple[str, ...]) -> list[bytes]:
    begun = _response("") | {"status": "in_progress", "output": [], "usage": None}
    place = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
    return [
        _event("response.created", 0, response=begun),
        *(
            _event("response.output_text.delta", number, delta=word, logprobs=[], **place)
            for number, word in enumerate(words, start=1)
        ),
    ]


def _event(kind: str, number: int, **members: Any) -> bytes:
    body = msgspec.json.encode({"type": kind, "sequence_number": number} | members)
    return chunk(b"event: %b\ndata: %b\n\n" % (kind.encode(), body))
