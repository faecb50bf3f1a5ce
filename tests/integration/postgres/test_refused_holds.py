from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from adapters.postgres.engine import make_engine
from adapters.postgres.inference.allotments import PostgresAllotments
from adapters.postgres.inference.budgets import PostgresBudgets
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from application.inference.allowance_ports import AllotmentWish
from application.operations.records.error_reporter import ErrorReporter
from domain.inference.budget import Hold
from domain.shared.errors import UnavailableError
from domain.shared.ids import AllotmentId, CallId, TeamId
from tests.fakes.errors import RecordingErrorLog


@pytest.fixture
def errors() -> RecordingErrorLog:
    return RecordingErrorLog()


@pytest.fixture
async def budgets(database_url: str, errors: RecordingErrorLog) -> AsyncIterator[PostgresBudgets]:
    engine, clock = make_engine(database_url), SystemClock()
    reporter = ErrorReporter(errors=errors, clock=clock, ids=SystemIds())
    budgets = PostgresBudgets(database_url, engine, clock, reporter=reporter)
    yield budgets
    await budgets.stop()
    await engine.dispose()


async def test_a_hold_that_the_database_refuses_is_on_record(
    budgets: PostgresBudgets, errors: RecordingErrorLog
) -> None:
    ids = SystemIds()
    of_no_team = Hold(
        call_id=CallId(ids.new()),
        team_id=TeamId(ids.new()),
        user_id=None,
        key_id=None,
        amount=Decimal(1),
        at=SystemClock().now(),
    )

    with pytest.raises(UnavailableError):
        await budgets.hold(of_no_team)

    assert [one.route for one in errors.occurrences] == ["budgets"]


async def test_an_allotment_that_the_database_refuses_is_on_record(
    database_url: str, errors: RecordingErrorLog
) -> None:
    ids, clock = SystemIds(), SystemClock()
    engine = make_engine(database_url)
    reporter = ErrorReporter(errors=errors, clock=clock, ids=ids)
    of_no_team = AllotmentWish(
        id=AllotmentId(ids.new()),
        team_id=TeamId(ids.new()),
        user_id=None,
        key_id=None,
        wanted=Decimal(1),
        least=Decimal(1),
        at=clock.now(),
    )

    with pytest.raises(UnavailableError):
        await PostgresAllotments(engine, ttl_s=60, reporter=reporter).allot(of_no_team)

    assert [one.route for one in errors.occurrences] == ["budgets"]
    await engine.dispose()
