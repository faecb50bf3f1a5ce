"""How clients of Anthropic's API are spoken to."""

import re
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from litestar.types import HTTPScope

from adapters.dialects.anthropic.errors import write_envelope, write_event
from adapters.http.data_plane.manner import Manner
from adapters.http.kinds import kind_of
from adapters.http.limit_headers import ANTHROPIC_PREFIX, State, keep_limit_headers
from adapters.http.presented import Presented, presented
from adapters.http.problems import ErrorAnswer, Headers, headers_of
from adapters.http.request_headers import all_of, request_headers
from application.shared.ports import Clock
from domain.inference.rate import Standings
from domain.shared.errors import BudgetExhaustedError, StoaError, UnavailableError

# Where Anthropic has a status of its own for the same thing.
_STATUSES: tuple[tuple[type[StoaError], int], ...] = (
    (BudgetExhaustedError, 402),
    (UnavailableError, 529),
)
_FEATURE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def anthropic_error(error: StoaError, request_id: UUID) -> ErrorAnswer:
    """The error as Anthropic's API would say it."""
    kind = kind_of(type(error))
    status = next((own for known, own in _STATUSES if isinstance(error, known)), kind.status)
    return ErrorAnswer(status, headers_of(error), write_envelope(error, request_id))


class AnthropicManner(Manner):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def ping(self) -> bytes:
        return b'event: ping\ndata: {"type":"ping"}\n\n'

    def presented(self, scope: HTTPScope) -> Presented:
        """The key in ``x-api-key``, else what any other request may show."""
        key = request_headers(scope).get(b"x-api-key")
        return presented(scope) if key is None else Presented(bearer=key.strip().decode("latin-1"))

    def features(self, scope: HTTPScope) -> tuple[str, ...]:
        """Those that ``anthropic-beta`` names."""
        given = b",".join(all_of(scope, b"anthropic-beta"))
        names = (name.strip() for name in given.decode("latin-1").split(","))
        return tuple(name for name in names if _FEATURE.fullmatch(name))

    def headers(self, request_id: UUID) -> Headers:
        return [(b"request-id", str(request_id).encode())]

    def error(self, error: StoaError, request_id: UUID) -> ErrorAnswer:
        return anthropic_error(error, request_id)

    def error_event(self, error: StoaError, request_id: UUID, last: bytes = b"") -> bytes:
        return write_event(error, request_id)

    def tell(self, state: State, standings: Standings) -> None:
        keep_limit_headers(state, partial(_limit_headers, standings, self._clock.now()))


def _limit_headers(standings: Standings, now: datetime) -> Headers:
    found: Headers = []
    for what, standing in (("requests", standings.requests), ("tokens", standings.tokens)):
        if standing is not None:
            reset = (now + timedelta(seconds=standing.reset_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
            for name, value in (
                ("limit", str(standing.limit)),
                ("remaining", str(standing.remaining)),
                ("reset", reset),
            ):
                found.append((f"{ANTHROPIC_PREFIX}-{what}-{name}".encode(), value.encode()))
    return found
