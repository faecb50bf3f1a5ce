import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from adapters.postgres.inference.ledger_connection import LedgerConnection
from tests.fixtures.patience import PATIENCE_S

HELD, FREE = 4711, 4712


class Slow:
    """An item that the statement below cannot write while its lock is held."""

    payload = str(HELD).encode()
    has_content = False

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool:
        return False

    def hand_over(self) -> None:
        """Nobody waits."""


class Quick(Slow):
    payload = str(FREE).encode()


async def a_connection(url: str, *, timeout_s: float) -> LedgerConnection[Slow]:
    return await LedgerConnection[Slow].open(
        url,
        "test of a batch",
        lambda _, __: "SELECT pg_advisory_xact_lock(($1::json ->> 0)::int)",
        lambda _: (),
        timeout_s=timeout_s,
    )


async def test_a_batch_that_is_not_decided_in_time_ends_its_connection(
    team_url: str, sql: asyncpg.Connection
) -> None:
    await sql.execute("SELECT pg_advisory_lock($1)", HELD)
    connection = await a_connection(team_url, timeout_s=0.05)

    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises((asyncpg.PostgresConnectionError, OSError)):
            await connection.write([Slow()], is_retry=False)
    await sql.execute("SELECT pg_advisory_unlock($1)", HELD)

    assert not connection.is_open


async def test_time_runs_anew_for_every_batch(team_url: str) -> None:
    connection = await a_connection(team_url, timeout_s=PATIENCE_S)
    await connection.write([Quick()], is_retry=False)

    await connection.write([Quick()], is_retry=False)

    assert connection.is_open
    await connection.close()
