"""The limits of time that a route sets; what it does not set costs nothing."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from typing import TypeVar

from application.inference.call_in_flight import CallInFlight
from domain.inference.errors import ProviderTimedOutError
from domain.models.route import RouteTimeouts

T = TypeVar("T")

_TOO_SLOW = {
    "first_token": "did not begin to answer within",
    "between_tokens": "said nothing for",
    "total": "did not finish within",
}


async def within(seconds: float, limit: str, flight: CallInFlight, work: Awaitable[T]) -> T:
    """Raises ``ProviderTimedOutError`` naming the limit when the time is over."""
    try:
        async with asyncio.timeout(seconds) as timeout:
            return await work
    except TimeoutError:
        if not timeout.expired():
            raise
        route = flight.plan.route
        name = flight.call.model if route is None else route.name
        raise ProviderTimedOutError(
            f"The model {_TOO_SLOW[limit]} {seconds:g} s (the limit '{limit}' of '{name}').",
            is_asked=True,
        ) from None


async def punctual(
    blocks: AsyncIterator[bytes], timeouts: RouteTimeouts, flight: CallInFlight
) -> AsyncGenerator[bytes, None]:
    """The blocks, as long as they come in time."""
    while True:
        seconds, limit = _next_limit(timeouts, flight)
        try:
            block = await within(seconds, limit, flight, anext(blocks))
        except StopAsyncIteration:
            return
        yield block


def _next_limit(timeouts: RouteTimeouts, flight: CallInFlight) -> tuple[float, str]:
    """The limit that ends first; at least one of the two is set."""
    if timeouts.total is None:
        return timeouts.between_tokens or 0.0, "between_tokens"
    left = max(0.0, timeouts.total - flight.elapsed_ms / 1000)
    if timeouts.between_tokens is None or left < timeouts.between_tokens:
        return left, "total"
    return timeouts.between_tokens, "between_tokens"
