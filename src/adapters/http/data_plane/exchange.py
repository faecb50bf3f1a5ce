from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar.types import HTTPScope, Receive, Send

from adapters.http.data_plane.idempotency import BROKE_OFF
from adapters.http.data_plane.served import Served
from adapters.http.failures import Failures
from application.inference.ports import Operation
from domain.shared.errors import StoaError


# Not frozen like other values: one is made for every call, and that would double what it costs.
@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request on the wire. Nobody changes it. ``state`` is that of the scope."""

    operation: Operation
    served: Served
    scope: HTTPScope
    receive: Receive
    send: Send
    failures: Failures
    state: dict[str, Any]
    request_id: UUID
    correlation_id: str

    def report(self, error: StoaError, *, cause: BaseException | None = None) -> None:
        """Log what the request fails with; ``cause`` is the exception that the error stands for,
        where that is another one."""
        self.failures.report(error, self.scope, error_id=self.request_id, cause=cause)

    def broke_off(self) -> None:
        """The answer has begun and will not come to its end."""
        self.state[BROKE_OFF] = True
