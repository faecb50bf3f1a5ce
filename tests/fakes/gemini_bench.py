import msgspec

from adapters.providers.google.provider import GoogleProvider
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.translation.provider import TranslatingProvider
from adapters.providers.transport.choice import TransportKind
from adapters.providers.transport.endpoint import Timeouts
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel
from tests.fakes.clock import FrozenClock
from tests.fakes.gemini_wire import answer_of, candidate, error_of, event, stream_of
from tests.fakes.ids import SequentialIds
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

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class GeminiBench:
    """A server that answers as Gemini does."""

    def __init__(self, upstream: Upstream, kind: TransportKind, *, secret: str) -> None:
        self.upstream = upstream
        self._secret = secret
        google = GoogleProvider(
            name="acme",
            http=HttpConfiguration(
                base_url=f"{upstream.origin}/v1beta",
                api_key=secret,
                transport=kind,
                timeouts=Timeouts(connect=2, first_byte=20, between_bytes=20),
            ),
        )
        self.provider: ModelProvider = TranslatingProvider(
            google, speaks=(), generation=google, clock=FrozenClock(), ids=SequentialIds()
        )

    def says(self, *words: str) -> ServedModel:
        self.upstream.streamed = [stream_head(), *map(chunk, stream_of(*words)), LAST_CHUNK]
        return self._answers(answer_of(candidate({"text": "".join(words)}, finish="STOP")))

    def fails(self, status: int) -> ServedModel:
        body = error_of(status, _STATUSES.get(status, "UNKNOWN"), f"no, {self._secret}")
        self.upstream.default = self.upstream.streamed = [json_answer(body, status=status)]
        return a_model()

    def hangs(self) -> ServedModel:
        self.upstream.default = [Act.HANG]
        self.upstream.streamed = [stream_head(), Act.HANG]
        return a_model()

    def drips(self) -> ServedModel:
        return self._streams(self._word("one"), Act.HANG)

    def cuts_after(self, *words: str) -> ServedModel:
        return self._streams(*map(self._word, words), Pause(0.01), Act.CLOSE)

    def embeds(self) -> ServedModel:
        said = {
            "embeddings": [{"values": [0.6, 0.8]}],
            "usageMetadata": {"promptTokenCount": 3},
        }
        return self._answers(msgspec.json.encode(said))

    async def aborted(self) -> None:
        await self.upstream.requests[-1].disconnected.wait()

    def _word(self, word: str) -> bytes:
        return chunk(event(answer_of(candidate({"text": word}), usage=None)))

    def _answers(self, body: bytes) -> ServedModel:
        self.upstream.default = [json_answer(body)]
        return a_model()

    def _streams(self, *steps: Step) -> ServedModel:
        self.upstream.default = self.upstream.streamed = [stream_head(), *steps]
        return a_model()
