import asyncio
import random

from application.inference.routing.ports import Pauses


class SystemPauses(Pauses):
    async def pause(self, seconds: float, *, jitter: float = 0.0) -> None:
        shorter = random.random() * jitter  # noqa: S311 - nobody gains by guessing it
        await asyncio.sleep(seconds * (1 - shorter))
