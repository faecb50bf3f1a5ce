"""What every wire format of chat models can do: be read and be written.

Readers and writers do no I/O. Doors read requests and write answers; providers write requests and
read answers. What a format cannot express raises ``UnsupportedByModelError`` that names the
parameter, and is never dropped.
"""

from collections.abc import Iterable
from typing import Protocol

from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.events import StreamEvent
from domain.inference.conversation.request import GenerationRequest
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError


class StreamReader(Protocol):
    """Reads one stream of a provider."""

    def feed(self, data: bytes) -> list[StreamEvent]:
        """The events in bytes of any size. Raises the ``StoaError`` that the stream reports, and
        ``ProviderFailedError`` for what is no stream of this format; where events stand before it
        in the same bytes, it is the next call that raises."""
        ...

    def end(self) -> list[StreamEvent]:
        """The connection is over. Raises ``ProviderFailedError`` when the answer is not."""
        ...


class StreamWriter(Protocol):
    """Writes one stream for a client, as complete SSE events."""

    def write(self, events: Iterable[StreamEvent]) -> bytes:
        """What these events say, possibly nothing yet."""
        ...

    def end(self) -> bytes:
        """What ends the stream."""
        ...


class UpstreamDialect(Protocol):
    """How a provider is spoken to."""

    @property
    def name(self) -> str:
        """``openai``, ``openai-responses``, ``anthropic``, ``google`` and so on."""
        ...

    def write_request(self, request: GenerationRequest, model: ServedModel) -> bytes:
        """The body for a provider, under the model's upstream name. Raises
        ``UnsupportedByModelError``."""
        ...

    def read_answer(self, body: bytes) -> GenerationAnswer:
        """Raises ``ProviderFailedError`` for what is no answer, and the ``StoaError`` of an error
        that came as one."""
        ...

    def stream_reader(self) -> StreamReader: ...


class DoorDialect(Protocol):
    """How clients are spoken to."""

    @property
    def name(self) -> str:
        """As an ``UpstreamDialect`` says it."""
        ...

    def read_request(self, body: bytes) -> GenerationRequest:
        """Raises ``InvalidError`` that names what is wrong."""
        ...

    def write_answer(self, answer: GenerationAnswer, request: GenerationRequest) -> bytes:
        """The body for the client, under the model's name that it asked for."""
        ...

    def stream_writer(self, request: GenerationRequest) -> StreamWriter: ...

    def write_error(self, error: StoaError) -> bytes:
        """The event that tells a client of a failure after the first byte."""
        ...


class Dialect(UpstreamDialect, DoorDialect, Protocol):
    """One wire format, for both sides."""

    @property
    def name(self) -> str: ...
