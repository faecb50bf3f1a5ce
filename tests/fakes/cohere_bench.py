import msgspec

from adapters.providers.cohere.configuration import CohereProviderDefinition
from adapters.providers.transport.choice import TransportKind
from domain.models.served_model import ServedModel
from tests.fakes.cohere_wire import answer_of, delta, start, stream_of
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


class CohereBench:
    """A server that answers as Cohere does."""

    def __init__(self, upstream: Upstream, kind: TransportKind, *, secret: str) -> None:
        self.upstream = upstream
        self._secret = secret
        http = http_of(upstream, kind, secret=secret)
        self.provider = CohereProviderDefinition(name="acme", http=http).build((), surroundings())

    def says(self, *words: str) -> ServedModel:
        self.upstream.streamed = [stream_head(), *map(chunk, stream_of(*words)), LAST_CHUNK]
        return self._answers(answer_of({"type": "text", "text": "".join(words)}))

    def fails(self, status: int) -> ServedModel:
        body = msgspec.json.encode({"id": "x", "message": f"no, {self._secret}"})
        self.upstream.default = self.upstream.streamed = [json_answer(body, status=status)]
        return a_model()

    def hangs(self) -> ServedModel:
        self.upstream.default = [Act.HANG]
        self.upstream.streamed = [stream_head(), Act.HANG]
        return a_model()

    def drips(self) -> ServedModel:
        return self._streams(*map(chunk, (start(), self._word("one"))), Act.HANG)

    def cuts_after(self, *words: str) -> ServedModel:
        said = (chunk(self._word(word)) for word in words)
        return self._streams(chunk(start()), *said, Pause(0.01), Act.CLOSE)

    def embeds(self) -> ServedModel:
        said = {
            "embeddings": {"float": [[0.6, 0.8]]},
            "meta": {"billed_units": {"input_tokens": 3}},
        }
        return self._answers(msgspec.json.encode(said))

    async def aborted(self) -> None:
        await self.upstream.requests[-1].disconnected.wait()

    def _word(self, word: str) -> bytes:
        return delta("content-delta", content={"text": word})

    def _answers(self, body: bytes) -> ServedModel:
        self.upstream.default = [json_answer(body)]
        return a_model()

    def _streams(self, *steps: Step) -> ServedModel:
        self.upstream.default = self.upstream.streamed = [stream_head(), *steps]
        return a_model()
