"""What the data plane needs from outside.

The language between the core and its providers is OpenAI's wire format: a request is the JSON body
as the client sent it, an answer is the JSON body or the SSE blocks that the client will get. A door
that speaks another dialect translates before and after.
"""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from application.shared.moments import check_moments
from application.shared.pagination import Slice
from domain.inference.call import Call, CallStatus
from domain.models.served_model import ServedModel
from domain.shared.ids import CallId, KeyId, TeamId
from domain.shared.usage import Usage


class Operation(StrEnum):
    """What a provider is asked to do; the value is the path under ``/v1``."""

    CHAT = "chat/completions"
    COMPLETION = "completions"
    EMBEDDING = "embeddings"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRequest:
    """One call as a provider sees it.

    ``body`` is the client's JSON object in OpenAI's format, with unknown fields left as they came
    and ``model`` still holding the name that the client asked for; the provider sends
    ``model.upstream_name``. ``include_usage`` says whether a stream's client wants the usage chunk:
    the provider asks upstream for it in any case and withholds it when it is false.
    """

    operation: Operation
    model: ServedModel
    body: bytes
    correlation_id: str
    stream: bool = False
    include_usage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswer:
    """A whole answer. ``body`` is JSON in OpenAI's format, ready for the client."""

    body: bytes
    usage: Usage
    finish_reason: str | None = None
    provider_request_id: str | None = None


@dataclass(slots=True, kw_only=True)
class StreamReport:
    """What is known of a stream so far; the provider keeps it current while blocks go by.

    ``usage`` is what the provider reported or, for a stream that ended early or said nothing, what
    was counted up to now (``Usage.counted``).
    """

    usage: Usage
    finish_reason: str | None = None
    provider_request_id: str | None = None


class ProviderStream(Protocol):
    """An answer in pieces.

    Iterating yields blocks of one or more complete SSE events (``data: …\\n\\n``), ending with
    ``data: [DONE]``. An upstream failure after the first block is raised from the iteration as a
    ``StoaError``; a stream that ends without its terminator is a ``ProviderFailedError``.
    ``aclose`` aborts the upstream work within a second and is idempotent; leaving the iteration by
    an exception or cancellation needs it too.
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
    """The configured providers by name."""

    def get(self, name: str) -> ModelProvider:
        """The provider of that name; the catalog has checked that it exists."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """``since`` is inclusive, ``until`` exclusive; what is ``None`` does not restrict.

    Raises ``InvalidError`` for what no ledger can be asked.
    """

    since: datetime | None = None
    until: datetime | None = None
    key_id: KeyId | None = None
    model: str | None = None
    status: CallStatus | None = None

    def __post_init__(self) -> None:
        check_moments(since=self.since, until=self.until)


class UsageGrouping(StrEnum):
    DAY = "day"
    MODEL = "model"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """Sums over the calls of one group, each of which has one of the six statuses. ``group`` is a
    day (``2026-11-21``, UTC), a model's name or a key's id; ``label`` is the key's name where the
    group is a key. ``unpriced`` counts the calls with tokens but without a price, whose cost is
    therefore not in ``cost`` (US dollars)."""

    group: str
    label: str
    calls: int
    open: int
    succeeded: int
    failed: int
    refused: int
    cancelled: int
    interrupted: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cost: Decimal
    unpriced: int


class CallReader(Protocol):
    """Reads the ledger, always of one team."""

    async def list(
        self, team_id: TeamId, where: CallFilter, *, cursor: str | None, limit: int
    ) -> Slice[Call]:
        """Newest first, without contents. Raises ``InvalidError`` for a cursor it did not make."""
        ...

    async def get(self, team_id: TeamId, call_id: CallId) -> Call:
        """One call, with its content if that was captured. Raises ``CallNotFoundError``."""
        ...

    async def usage(
        self, team_id: TeamId, grouping: UsageGrouping, where: CallFilter
    ) -> tuple[UsageRow, ...]:
        """One row per group, days newest first, others by cost, then calls, then name."""
        ...


class OrphanedCalls(Protocol):
    """Open rows whose process is gone."""

    async def interrupt(self, at: datetime) -> int:
        """Mark as ``interrupted`` every open row of a process that is dead, on whatever node it
        ran, and return how many there were. They cost what their budgets held for them. Rows of
        living processes are left alone."""
        ...
