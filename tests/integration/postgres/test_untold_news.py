import asyncio

import asyncpg

from adapters.postgres.inference.deployment_board import PostgresDeploymentBoard
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from application.inference.routing.ports import DeploymentNews
from application.operations.records.error_reporter import ErrorReporter
from tests.fakes.errors import RecordingErrorLog
from tests.fixtures.patience import PATIENCE_S


async def test_news_that_the_database_refuses_are_on_record_and_told_later(
    database_url: str, sql: asyncpg.Connection
) -> None:
    errors = RecordingErrorLog()
    reporter = ErrorReporter(errors=errors, clock=SystemClock(), ids=SystemIds())
    board = PostgresDeploymentBoard(database_url, reporter=reporter)
    await board.start()
    await sql.execute("ALTER TABLE deployment_outages RENAME TO gone")

    try:
        board.announce(DeploymentNews(deployment="a/x", out_s=60.0, reason="X"))
        async with asyncio.timeout(PATIENCE_S):
            while not errors.occurrences:
                await asyncio.sleep(0.01)
    finally:
        await sql.execute("ALTER TABLE gone RENAME TO deployment_outages")
    async with asyncio.timeout(PATIENCE_S):
        while not await sql.fetchval("SELECT count(*) FROM deployment_outages"):
            await asyncio.sleep(0.01)
    await board.stop()

    assert {one.route for one in errors.occurrences} == {"deployments"}
