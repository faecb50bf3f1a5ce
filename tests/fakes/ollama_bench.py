import msgspec

from adapters.providers.ollama.configuration import OllamaProviderDefinition
from adapters.providers.transport.choice import TransportKind
from domain.models.served_model import ServedModel
from tests.fakes.ollama_wire import answer_of, line_of, stream_of
from tests.fakes.openai_like_bench import http_of, surroundings
from tests.fakes.openai_wire import a_model
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

_HEAD = stream_head("application/x-ndjson")


class OllamaBench:
    """A server that answers as Ollama does, behind a proxy that numbers the requests."""

    def __init__(self, upstream: Upstream, kind: TransportKind, *, secret: str) -> None:
        self.upstream = upstream
        self._secret = secret
        http = http_of(upstream, kind, secret=secret)
        self.provider = OllamaProviderDefinition(name="acme", http=http).build((), surroundings())

    def says(self, *words: str) -> ServedModel:
        self.upstream.streamed = [_HEAD, *map(chunk, stream_of(*words)), LAST_CHUNK]
        return self._answers(answer_of({"content": "".join(words)}))

    def fails(self, status: int) -> ServedModel:
        body = msgspec.json.encode({"error": f"no, {self._secret}"})
        self.upstream.default = self.upstream.streamed = [json_answer(body, status=status)]
        return a_model()

    def hangs(self) -> ServedModel:
        self.upstream.default = [Act.HANG]
        self.upstream.streamed = [_HEAD, Act.HANG]
        return a_model()

    def drips(self) -> ServedModel:
        return self._streams(chunk(line_of({"content": "one"})), Act.HANG)

    def cuts_after(self, *words: str) -> ServedModel:
        said = (chunk(line_of({"content": word})) for word in words)
        return self._streams(*said, Pause(0.01), Act.CLOSE)

    def embeds(self) -> ServedModel:
        said = {"model": "m", "embeddings": [[0.6, 0.8]], "prompt_eval_count": 3}
        return self._answers(msgspec.json.encode(said))

    async def aborted(self) -> None:
        await self.upstream.requests[-1].disconnected.wait()

    def _answers(self, body: bytes) -> ServedModel:
        self.upstream.default = [json_answer(body, headers=["x-request-id: req-up"])]
        return a_model()

    def _streams(self, *steps: Step) -> ServedModel:
        self.upstream.default = self.upstream.streamed = [_HEAD, *steps]
        return a_model()
