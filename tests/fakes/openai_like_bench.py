from collections.abc import Callable

import msgspec

from adapters.providers.definition import ProviderDefinition, Surroundings
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.transport.choice import TransportKind
from adapters.providers.transport.endpoint import Timeouts
from domain.models.served_model import ServedModel
from tests.fakes.clock import FrozenClock
from tests.fakes.ids import SequentialIds
from tests.fakes.openai_wire import UPSTREAM_NAME, a_model, chunk_event, openai_stream
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

USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
_IDS = "x-request-id: req-up\r\nmistral-correlation-id: req-up"
_HEAD = stream_head(f"text/event-stream\r\n{_IDS}")

# Takes the keyword ``http``.
Define = Callable[..., ProviderDefinition]


def surroundings() -> Surroundings:
    return Surroundings(
        clock=FrozenClock(), ids=SequentialIds(), local_threads=None, local_queue_size=1
    )


def http_of(upstream: Upstream, kind: TransportKind, *, secret: str) -> HttpConfiguration:
    return HttpConfiguration(
        base_url=upstream.base_url,
        api_key=secret,
        transport=kind,
        timeouts=Timeouts(connect=2, first_byte=20, between_bytes=20),
    )


class OpenAILikeBench:
    """A server that answers as OpenAI does, behind a provider as its configuration builds it."""

    def __init__(
        self, upstream: Upstream, kind: TransportKind, *, secret: str, define: Define
    ) -> None:
        self.upstream = upstream
        self._secret = secret
        definition = define(http=http_of(upstream, kind, secret=secret))
        self.provider = definition.build((), surroundings())

    def says(self, *words: str) -> ServedModel:
        events = openai_stream(*words, usage=USAGE)
        self.upstream.streamed = [_HEAD, *map(chunk, events), LAST_CHUNK]
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": "".join(words)},
            "finish_reason": "stop",
        }
        return self._answers({"choices": [choice], "usage": USAGE})

    def fails(self, status: int) -> ServedModel:
        body = msgspec.json.encode({"error": {"message": f"no, {self._secret}", "type": "x"}})
        self.upstream.default = self.upstream.streamed = [json_answer(body, status=status)]
        return a_model()

    def hangs(self) -> ServedModel:
        self.upstream.default = [Act.HANG]
        self.upstream.streamed = [_HEAD, Act.HANG]
        return a_model()

    def drips(self) -> ServedModel:
        return self._streams(chunk(chunk_event({"content": "one"})), Act.HANG)

    def cuts_after(self, *words: str) -> ServedModel:
        said = (chunk(chunk_event({"content": word})) for word in words)
        return self._streams(*said, Pause(0.01), Act.CLOSE)

    def embeds(self) -> ServedModel:
        item = {"object": "embedding", "index": 0, "embedding": [0.6, 0.8]}
        return self._answers({"object": "list", "data": [item], "usage": {"prompt_tokens": 3}})

    async def aborted(self) -> None:
        await self.upstream.requests[-1].disconnected.wait()

    def _answers(self, members: dict[str, object]) -> ServedModel:
        body = msgspec.json.encode({"id": "x", "model": UPSTREAM_NAME} | members)
        self.upstream.default = [json_answer(body, headers=_IDS.split("\r\n"))]
        return a_model()

    def _streams(self, *steps: Step) -> ServedModel:
        self.upstream.default = self.upstream.streamed = [_HEAD, *steps]
        return a_model()
