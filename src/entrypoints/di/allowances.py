from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide

from adapters.postgres.inference.process_presence import ProcessPresence
from adapters.postgres.inference.rate_limits import PostgresRateLimits
from application.inference.allowance_ports import RateLimits
from application.inference.call_allowances import CallAllowances
from application.inference.count_api_request import CountApiRequest
from application.inference.rate_limit_check import RateLimitCheck
from application.inference.show_limits import ShowLimits
from entrypoints.database import DatabaseUrl
from entrypoints.settings import Settings


class AllowancesProvider(Provider):
    """What bounds the callers of models, in the order in which it is asked: limits, then the
    budget."""

    scope = Scope.APP

    rate_limit_check = provide(RateLimitCheck)
    show_limits = provide(ShowLimits)
    count_api_request = provide(CountApiRequest)

    @provide
    def call_allowances(self, limits: RateLimitCheck) -> CallAllowances:
        return CallAllowances((limits,))


class LimitsInPostgresProvider(Provider):
    scope = Scope.APP

    @provide
    async def rate_limits(
        self, settings: Settings, url: DatabaseUrl, presence: ProcessPresence
    ) -> AsyncIterable[RateLimits]:
        limits = PostgresRateLimits(
            url, process=presence.process, timeout_s=settings.ledger_timeout_seconds
        )
        yield limits
        await limits.stop()


class LimitsInRedisProvider(Provider):
    scope = Scope.APP

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    @provide
    async def rate_limits(self, settings: Settings) -> AsyncIterable[RateLimits]:
        # Most servers have no Redis, and need not wait for its client to be imported.
        from adapters.redis.rate_limits import RedisRateLimits  # noqa: PLC0415

        limits = RedisRateLimits(self._url, timeout_s=settings.ledger_timeout_seconds)
        yield limits
        await limits.stop()


def counters_of_limits(settings: Settings) -> Provider:
    """Where limits are counted."""
    if settings.redis_url is None:
        return LimitsInPostgresProvider()
    return LimitsInRedisProvider(settings.redis_url)
