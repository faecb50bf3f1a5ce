"""Guards of routes whose callers have limits; they stand behind the one that finds out who asks."""

from litestar.handlers import BaseRouteHandler

from adapters.http.guards import Connection
from adapters.http.limit_headers import tell_of_api_limit, tell_what_remains
from application.inference.count_api_request import CountApiRequest
from application.inference.show_limits import ShowLimits
from domain.inference.errors import RateLimitedError


async def within_api_limit(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Counts a request to Stoa's own API."""
    state = connection.scope["state"]
    count = await state["dishka_container"].get(CountApiRequest)
    try:
        standing = await count(state["actor"])
    except RateLimitedError as error:
        if error.standings is not None and error.standings.requests is not None:
            tell_of_api_limit(state, error.standings.requests)
        raise
    if standing is not None:
        tell_of_api_limit(state, standing)


async def tells_limits(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Shows what remains of the limits of model calls, and takes nothing."""
    state = connection.scope["state"]
    if state["actor"].allowances:
        show = await state["dishka_container"].get(ShowLimits)
        await tell_what_remains(state, state["actor"], show)
