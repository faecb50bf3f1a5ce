"""What remains of a caller's limits, on every answer: under ``/v1`` as OpenAI says it, on Stoa's
own API as the ``RateLimit`` fields of the IETF's draft."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog

from application.inference.call_allowances import TellStandings
from application.inference.show_limits import ShowLimits
from application.shared.actor import Actor
from domain.inference.rate import MINUTE_S, Standing, Standings, duration
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

Header = tuple[bytes, bytes]
State = dict[str, Any]
Write = Callable[[], Sequence[Header]]

_PREFIX = "x-ratelimit"
ANTHROPIC_PREFIX = "anthropic-ratelimit"
_SAID = tuple(
    (name, what) for name in ("limit", "remaining", "reset") for what in ("requests", "tokens")
)
LIMIT_HEADER_NAMES = (
    "ratelimit",
    "ratelimit-policy",
    *(f"{_PREFIX}-{name}-{what}" for name, what in _SAID),
    *(f"{ANTHROPIC_PREFIX}-{what}-{name}" for name, what in _SAID),
)

# The name of the only policy that the management API has.
_POLICY = "requests"
_STATE = "limit_headers"


def limit_headers(state: State) -> Sequence[Header]:
    """The headers that were found out for the answer to this request."""
    found: Sequence[Header] | Write = state.get(_STATE, ())
    if callable(found):
        found = state[_STATE] = found()
    return found


def keep_limit_headers(state: State, write: Write) -> None:
    """Have them put on the answer; they are written when somebody wants to see them."""
    state[_STATE] = write


def telling(state: State) -> TellStandings:
    """What to call with the standings of a caller of ``/v1``."""
    return partial(tell_as_openai, state)


async def tell_what_remains(
    state: State, actor: Actor, show: ShowLimits, tell: TellStandings | None = None
) -> None:
    """For answers that no limit was asked for: look, if nobody has yet, and ``tell``."""
    if not actor.allowances or _STATE in state:
        return
    try:
        shown = await show(actor)
    except UnavailableError as error:
        log.warning("limits.not_shown", reason=error.message)
    else:
        (tell or telling(state))(shown.standings)


def tell_as_openai(state: State, standings: Standings) -> None:
    """For answers under ``/v1``, unless their API says it in another way."""
    keep_limit_headers(state, partial(_as_openai, standings))


def _as_openai(standings: Standings) -> Sequence[Header]:
    found: list[Header] = []
    for what, standing in (("requests", standings.requests), ("tokens", standings.tokens)):
        if standing is not None:
            for name, value in (
                ("limit", str(standing.limit)),
                ("remaining", str(standing.remaining)),
                ("reset", duration(standing.reset_s)),
            ):
                found.append((f"{_PREFIX}-{name}-{what}".encode(), value.encode()))
    return found


def tell_of_api_limit(state: State, standing: Standing) -> None:
    """For answers of Stoa's own API."""
    keep_limit_headers(state, partial(_as_fields, standing))


def _as_fields(standing: Standing) -> Sequence[Header]:
    policy = f'"{_POLICY}";q={standing.limit};w={MINUTE_S:.0f}'
    now = f'"{_POLICY}";r={standing.remaining};t={math.ceil(standing.reset_s)}'
    return (b"ratelimit-policy", policy.encode()), (b"ratelimit", now.encode())
