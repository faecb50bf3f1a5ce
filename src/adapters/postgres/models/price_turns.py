import asyncio
from collections.abc import Callable

from application.models.pricing.live_prices import LivePrices

# Clocks are set and machines sleep: no timer is trusted for longer.
LONGEST_S = 600.0


class PriceTurns:
    """Tells when other prices come into force, and lets the price book be opened again that could
    not be read."""

    def __init__(self, prices: LivePrices, on_turn: Callable[[], None]) -> None:
        self._prices = prices
        self._on_turn = on_turn
        self._timer: asyncio.TimerHandle | None = None
        self._turning: asyncio.Task[None] | None = None

    def plan(self) -> None:
        """Plan the next turn anew."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        left_s = self._prices.seconds_to_change()
        if left_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(min(left_s, LONGEST_S), self._begin)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._turning is not None:
            self._turning.cancel()
            await asyncio.wait([self._turning])

    def _begin(self) -> None:
        # What changes by the clock does not wait for the book.
        self._on_turn()
        self._turning = asyncio.get_running_loop().create_task(self._turn())

    async def _turn(self) -> None:
        await self._prices.learn()
        self._on_turn()
        self.plan()
