from collections.abc import Awaitable, Callable
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from domain.operations.audit import AuditEntry
from domain.operations.event import Event


class Clock(Protocol):
    def now(self) -> datetime:
        """The present time, timezone-aware in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean something."""
        ...


class IdGenerator(Protocol):
    def new(self) -> UUID:
        """A new UUIDv7; later ones sort after earlier ones."""
        ...


class SecretGenerator(Protocol):
    def token(self) -> str:
        """At least 256 random bits as URL-safe text."""
        ...


class Errands(Protocol):
    """Work that goes on after its request has been answered, in the same process."""

    def send(self, name: str, errand: Callable[[], Awaitable[None]]) -> None:
        """Begin with it soon; what it raises is logged under its name. Raises
        ``UnavailableError`` where too much waits already."""
        ...


class AuditTrail(Protocol):
    """The record of management actions; it only ever grows."""

    async def add(self, entry: AuditEntry) -> None: ...


class EventLog(Protocol):
    """The outbox: what is added is seen by those who listen, on every node, when the unit of work
    commits."""

    async def add(self, event: Event) -> None: ...


class UnitOfWork(Protocol):
    """One transaction. Leaving the block without ``commit`` rolls back; entering it twice at the
    same time is an error. No call to a provider may happen inside."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    async def commit(self) -> None: ...

    @property
    def audit(self) -> AuditTrail: ...

    @property
    def events(self) -> EventLog: ...
