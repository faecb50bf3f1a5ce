from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from application.operations.ports import ComponentHealth, HealthStatus, StoreProbe

TIMEOUT_S = 1.0


class RedisProbe(StoreProbe):
    """Asks Redis whether it is there, over a connection of its own. Without it, those alone are
    refused who have limits."""

    name = "redis"

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._is_there: bool | None = None

    @property
    def is_there(self) -> bool | None:
        return self._is_there

    async def check(self) -> ComponentHealth:
        try:
            await self._ping()
        except (RedisError, OSError, TimeoutError):
            self._is_there = False
            detail = "Redis cannot be reached; callers with limits are refused"
            return ComponentHealth(status=HealthStatus.DEGRADED, detail=detail)
        self._is_there = True
        return ComponentHealth()

    async def _ping(self) -> None:
        client = Redis.from_url(
            self._url,
            socket_timeout=self._timeout_s,
            socket_connect_timeout=self._timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            await client.ping()
        finally:
            await client.aclose()
