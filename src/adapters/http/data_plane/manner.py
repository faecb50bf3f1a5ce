"""How the clients of one API are spoken to, whatever they ask for."""

from typing import Protocol
from uuid import UUID

from litestar.types import HTTPScope

from adapters.http.limit_headers import State
from adapters.http.presented import Presented
from adapters.http.problems import ErrorAnswer, Headers
from domain.inference.rate import Standings
from domain.shared.errors import StoaError


class Manner(Protocol):
    @property
    def ping(self) -> bytes:
        """What keeps a stream alive while nothing comes; clients ignore it."""
        ...

    def presented(self, scope: HTTPScope) -> Presented:
        """What the request shows of who sent it."""
        ...

    def features(self, scope: HTTPScope) -> tuple[str, ...]:
        """What the request wants to be switched on beside its body."""
        ...

    def headers(self, request_id: UUID) -> Headers:
        """What every answer has besides the headers that all of Stoa's answers have."""
        ...

    def error(self, error: StoaError, request_id: UUID) -> ErrorAnswer: ...

    def error_event(self, error: StoaError, request_id: UUID, last: bytes = b"") -> bytes:
        """The error in the middle of a stream, after the block ``last``."""
        ...

    def tell(self, state: State, standings: Standings) -> None:
        """Put what remains of the caller's limits on the answer."""
        ...
