"""How a provider that has a wire format of its own answers chat requests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from application.inference.ports import ProviderRequest, StreamReport
from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.events import StreamEvent
from domain.inference.conversation.request import GenerationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationCall:
    """``request`` is what the client asked, read from its dialect; ``asked`` is the call as it came
    (for its model, its correlation id and the estimate of its size)."""

    request: GenerationRequest
    asked: ProviderRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    answer: GenerationAnswer
    provider_request_id: str | None = None


class GenerationStream(Protocol):
    """An answer in pieces; ``aclose`` as ``ProviderStream.aclose``. ``report`` is kept current."""

    @property
    def report(self) -> StreamReport: ...

    def __aiter__(self) -> AsyncIterator[list[StreamEvent]]: ...

    async def aclose(self) -> None: ...


class GenerationProvider(Protocol):
    """Raises what ``ModelProvider`` raises."""

    async def generate(self, call: GenerationCall) -> Generated: ...

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        """Return as soon as the provider has accepted the request."""
        ...
