from contextvars import ContextVar
from dataclasses import dataclass

# The id that ties together all that is done for one request: its log lines, ledger row and
# upstream calls. "-" stands outside of any request.
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="-")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from, for the records; both ``None`` outside of any request."""

    address: str | None = None
    user_agent: str | None = None


origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - it is frozen
