from collections.abc import AsyncIterable
from typing import NamedTuple

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.inference.allotments import PostgresAllotments
from adapters.postgres.inference.budget_reader import PostgresBudgetReader
from adapters.postgres.inference.budgets import PostgresBudgets
from adapters.postgres.inference.process_presence import ProcessPresence
from adapters.postgres.inference.rate_limits import PostgresRateLimits
from application.inference.allotments.allotment_stock import AllotmentStock
from application.inference.allotments.allotted_budgets import AllottedBudgets
from application.inference.allowance_ports import BudgetReader, Budgets, RateLimits
from application.inference.budget_check import BudgetCheck
from application.inference.call_allowances import CallAllowances
from application.inference.closed_calls import ClosedCalls
from application.inference.count_api_request import CountApiRequest
from application.inference.keep_holds import KeepHolds
from application.inference.rate_limit_check import RateLimitCheck
from application.inference.show_limits import ShowLimits
from application.operations.ports import StoreProbe
from application.operations.records.error_reporter import ErrorReporter
from application.shared.ports import Clock, IdGenerator
from entrypoints.database import DatabaseUrl
from entrypoints.settings import Settings


class AllowancesProvider(Provider):
    """What bounds the callers of models, in the order in which it is asked: limits, then the
    budget."""

    scope = Scope.APP

    rate_limit_check = provide(RateLimitCheck)
    budget_check = provide(BudgetCheck)
    keep_holds = provide(KeepHolds)
    show_limits = provide(ShowLimits)
    count_api_request = provide(CountApiRequest)

    @provide
    def call_allowances(self, limits: RateLimitCheck, budget: BudgetCheck) -> CallAllowances:
        return CallAllowances((limits, budget))

    @provide
    async def accounts(
        self,
        settings: Settings,
        url: DatabaseUrl,
        engine: AsyncEngine,
        clock: Clock,
        reporter: ErrorReporter,
    ) -> AsyncIterable[PostgresBudgets]:
        accounts = PostgresBudgets(
            url,
            engine,
            clock,
            ttl_s=settings.budget_hold_seconds,
            timeout_s=settings.ledger_timeout_seconds,
            reporter=reporter,
        )
        yield accounts
        await accounts.stop()

    @provide
    def allotments(
        self,
        settings: Settings,
        engine: AsyncEngine,
        clock: Clock,
        ids: IdGenerator,
        reporter: ErrorReporter,
    ) -> AllotmentStock:
        ttl_s = settings.budget_hold_seconds
        allotments = PostgresAllotments(engine, ttl_s=ttl_s, reporter=reporter)
        return AllotmentStock(allotments, clock, ids, ttl_s=ttl_s)

    @provide
    async def budgets(
        self, accounts: PostgresBudgets, stock: AllotmentStock, closed: ClosedCalls
    ) -> AsyncIterable[Budgets]:
        budgets = AllottedBudgets(accounts, stock, closed)
        yield budgets
        await budgets.stop()

    @provide
    def budget_reader(self, engine: AsyncEngine) -> BudgetReader:
        return PostgresBudgetReader(engine)


class StoreOfLimits(NamedTuple):
    """What looks at the counters of limits; nothing where they are in the database, which is looked
    at anyway."""

    probe: StoreProbe | None = None


class LimitsInPostgresProvider(Provider):
    scope = Scope.APP

    @provide
    def store_of_limits(self) -> StoreOfLimits:
        return StoreOfLimits()

    @provide
    async def rate_limits(
        self,
        settings: Settings,
        url: DatabaseUrl,
        presence: ProcessPresence,
        reporter: ErrorReporter,
    ) -> AsyncIterable[RateLimits]:
        limits = PostgresRateLimits(
            url,
            process=presence.process,
            timeout_s=settings.ledger_timeout_seconds,
            reporter=reporter,
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

    @provide
    def store_of_limits(self) -> StoreOfLimits:
        from adapters.redis.health import RedisProbe  # noqa: PLC0415 - as above

        return StoreOfLimits(RedisProbe(self._url))


def counters_of_limits(settings: Settings) -> Provider:
    """Where limits are counted."""
    if settings.redis_url is None:
        return LimitsInPostgresProvider()
    return LimitsInRedisProvider(settings.redis_url)
