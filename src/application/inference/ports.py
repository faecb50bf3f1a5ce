"""What the data plane needs from outside.

The language between the core and its providers is that of the operation that the client asked for:
a request is the body as the client sent it, an answer is the body or the SSE blocks that the client
will get. A provider that speaks another language translates behind this port.
"""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.inference.call import Call
from domain.models.served_model import ServedModel
from domain.shared.usage import Usage

JSON = "application/json"
EVENTS = "text/event-stream"


class Operation(StrEnum):
    """What a provider is asked to do; the value is the path under ``/v1``."""

    CHAT = "chat/completions"
    COMPLETION = "completions"
    RESPONSES = "responses"
    MESSAGES = "messages"
    COUNT_TOKENS = "messages/count_tokens"
    EMBEDDING = "embeddings"
    RERANK = "rerank"
    MODERATION = "moderations"
    IMAGE = "images/generations"
    TRANSCRIPTION = "audio/transcriptions"
    SPEECH = "audio/speech"


# The same conversation in different dialects: what is asked in one can be answered by a provider
# that speaks another.
GENERATION = frozenset({Operation.CHAT, Operation.RESPONSES, Operation.MESSAGES})

# Their requests are forms with files. All others are JSON, whatever a client calls them.
UPLOADS = frozenset({Operation.TRANSCRIPTION})


# Neither is frozen, since that costs microseconds at every call.
@dataclass(slots=True, kw_only=True)
class ProviderRequest:
    """One call as a provider sees it. Nobody changes it.

    ``body`` is the client's, in the format of the operation, with unknown fields left as they came
    and ``model`` still holding the name that the client asked for; the provider sends
    ``model.upstream_name``. ``content_type`` is that of the body: JSON but for uploads.
    ``include_usage`` says whether the client of a stream of chat or text completions wants the
    usage chunk: the provider asks upstream for it in any case and withholds it when it is false.
    ``features`` are those that the client asked for beside the body (``anthropic-beta``).
    """

    operation: Operation
    model: ServedModel
    body: bytes
    correlation_id: str
    stream: bool = False
    include_usage: bool = False
    content_type: str = JSON
    features: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class ProviderAnswer:
    """A whole answer, which nobody changes. ``body`` is in the format of the operation, ready for
    the client: JSON, or what ``content_type`` says."""

    body: bytes
    usage: Usage
    content_type: str = JSON
    finish_reason: str | None = None
    provider_request_id: str | None = None


@dataclass(slots=True, kw_only=True)
class StreamReport:
    """What is known of a stream so far; the provider keeps it current while blocks go by.

    ``usage`` is what the provider reported or, for a stream that ended early or said nothing, what
    was counted up to now (``Usage.counted``). ``content_type`` stands when the stream is open.
    """

    usage: Usage
    content_type: str = EVENTS
    finish_reason: str | None = None
    provider_request_id: str | None = None


class ProviderStream(Protocol):
    """An answer in pieces.

    Iterating yields blocks of one or more complete SSE events (``data: …\\n\\n``), ending as the
    operation's streams end (chats with ``data: [DONE]``), or, where ``report.content_type`` is not
    that of events (speech), bytes as they come. An upstream failure after the first block is
    raised from the iteration as a ``StoaError``; a stream that ends without its terminator is a
    ``ProviderFailedError``. ``aclose`` aborts the upstream work within a second and is idempotent;
    leaving the iteration by an exception or cancellation needs it too.
    """

    @property
    def report(self) -> StreamReport: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class ModelProvider(Protocol):
    """A place where models run.

    Both methods raise the errors of ``domain.inference.errors``: 4xx answers of the provider become
    ``ProviderRejectedError`` or ``ContextLengthExceededError``, its failures an ``UpstreamError``,
    slowness ``ProviderTimedOutError``, a full queue ``ProviderBusyError``. No message ever contains
    the provider's credentials. Cancelling either awaitable aborts the upstream work.
    """

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        """Answer in one piece."""
        ...

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        """Return as soon as the provider has accepted the request."""
        ...

    async def start(self) -> None:
        """Get ready (load weights, open pools); called once, before or while serving."""
        ...

    async def stop(self) -> None:
        """Abort what runs and free everything; idempotent."""
        ...


class ModelProviders(Protocol):
    """The providers of the configuration and of the teams' registries."""

    def get(self, model: ServedModel) -> ModelProvider:
        """The provider that runs the model. Raises ``ProviderFailedError`` for a provider that was
        removed or cannot be built any more."""
        ...


class WriteAhead(Protocol):
    """The ledger row of a call that is about to be made."""

    @property
    def sent(self) -> Awaitable[None]:
        """Done when the row has left for the database, so that killing this process cannot lose
        it. Raises ``LedgerUnavailableError`` when it could not leave in time."""
        ...

    @property
    def committed(self) -> Awaitable[None]:
        """Done when the row is durable. Raises ``LedgerUnavailableError``."""
        ...


class Ledger(Protocol):
    """The record of every call. Rows of calls in flight are committed in groups."""

    def open(self, call: Call) -> WriteAhead:
        """Write the row of an open call ahead."""
        ...

    def settle(self, call: Call) -> None:
        """Record the outcome of an opened call. Never blocks and never fails: it is queued, and
        retried until the database has it; ``flush`` waits for that."""
        ...

    async def record(self, call: Call) -> None:
        """Write a row that is born settled (a refused call); returns when it is durable."""
        ...

    async def flush(self, timeout_s: float) -> int:
        """Wait until everything queued is durable; returns how many rows are still not."""
        ...


class OrphanedCalls(Protocol):
    """Open rows whose process is gone."""

    async def interrupt(self, at: datetime) -> int:
        """Mark as ``interrupted`` every open row of a process that is dead, on whatever node it
        ran, and return how many there were. They cost what their budgets held for them. Rows of
        living processes are left alone."""
        ...
