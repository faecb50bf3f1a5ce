import asyncio
import random

from application.inference.routing.ports import Pauses


class SystemPauses(Pauses):
    async def pause(self, least_s: float, most_s: float) -> None:
        await asyncio.sleep(random.uniform(least_s, most_s))  # noqa: S311 - no secret
