import msgspec
import pytest

from adapters.providers.anthropic.configuration import AnthropicProviderDefinition
from adapters.providers.transport.choice import TransportKind
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel
from tests.fakes.anthropic_wire import HEAD, REQUEST_ID, error_of, message, stream_of, text, word
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
)

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    504: "timeout_error",
}


class AnthropicBench:
    """A server that answers as Anthropic does."""

    def __init__(self, upstream: Upstream, kind: TransportKind, *, secret: str) -> None:
        self.upstream = upstream
        self._secret = secret
        definition = AnthropicProviderDefinition(
            name="acme", http=http_of(upstream, kind, secret=secret)
        )
        self.provider: ModelProvider = definition.build((), surroundings())

    def says(self, *words: str) -> ServedModel:
        self.upstream.streamed = [HEAD, *map(chunk, stream_of(*words)), LAST_CHUNK]
        body = msgspec.json.encode(message(text("".join(words))))
        self.upstream.default = [json_answer(body, headers=[REQUEST_ID])]
        return a_model()

    def fails(self, status: int) -> ServedModel:
        body = error_of(_TYPES.get(status, "api_error"), f"no, {self._secret}")
        self.upstream.default = self.upstream.streamed = [json_answer(body, status=status)]
        return a_model()

    def hangs(self) -> ServedModel:
        self.upstream.default = [Act.HANG]
        self.upstream.streamed = [HEAD, Act.HANG]
        return a_model()

    def drips(self) -> ServedModel:
        return self._streams(*map(chunk, stream_of("one")[:4]), Act.HANG)

    def cuts_after(self, *words: str) -> ServedModel:
        opening = stream_of()[:3]
        return self._streams(
            *map(chunk, opening), *(chunk(word(one)) for one in words), Pause(0.01), Act.CLOSE
        )

    def embeds(self) -> ServedModel:
        pytest.skip("Anthropic has no embeddings")

    async def aborted(self) -> None:
        await self.upstream.requests[-1].disconnected.wait()

    def _streams(self, *steps: Step) -> ServedModel:
        self.upstream.default = self.upstream.streamed = [HEAD, *steps]
        return a_model()
