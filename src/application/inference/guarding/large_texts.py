import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

# Some 30 milliseconds of prose, in which nobody else is served.
LARGE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class LargeTexts:
    """Looks at large bodies beside the loop, one after the other, so that whoever sends them cannot
    hold up the calls of others."""

    _turn: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    async def look(self, body: bytes, look: Callable[[bytes], T]) -> T:
        if len(body) < LARGE_BYTES:
            return look(body)
        async with self._turn:
            return await asyncio.to_thread(look, body)
