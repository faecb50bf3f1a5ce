"""When people last came with a token of their identity provider."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest

from adapters.postgres.engine import make_engine
from adapters.postgres.identity.activity import PostgresPersonActivity
from tests.builders import USER_ID
from tests.fakes.clock import START


@pytest.fixture
async def nodes(
    team_url: str, sql: asyncpg.Connection
) -> AsyncIterator[tuple[PostgresPersonActivity, PostgresPersonActivity]]:
    await sql.execute(
        "INSERT INTO users (id, display_name, created_at, avatar_colour, locale, is_active,"
        " is_operator) VALUES ($1, 'Ada', now(), '#000000', 'en', true, false)",
        USER_ID,
    )
    engine = make_engine(team_url)
    yield PostgresPersonActivity(engine), PostgresPersonActivity(engine)
    await engine.dispose()


async def last_login(sql: asyncpg.Connection) -> datetime | None:
    found: datetime | None = await sql.fetchval("SELECT last_login_at FROM users")
    return found


async def test_the_last_login_goes_on_with_use_but_not_with_every_request(
    nodes: tuple[PostgresPersonActivity, PostgresPersonActivity], sql: asyncpg.Connection
) -> None:
    one, _ = nodes
    seen = []

    for minutes in (0, 59, 60, 61):
        one.touch(USER_ID, START + timedelta(minutes=minutes))
        await one.flush()
        seen.append(await last_login(sql))

    assert seen == [START, START, START + timedelta(hours=1), START + timedelta(hours=1)]


async def test_two_nodes_write_no_more_than_one(
    nodes: tuple[PostgresPersonActivity, PostgresPersonActivity], sql: asyncpg.Connection
) -> None:
    one, two = nodes
    one.touch(USER_ID, START + timedelta(minutes=30))
    await one.flush()

    two.touch(USER_ID, START)
    await two.flush()
    two.touch(USER_ID, START + timedelta(minutes=61))
    await two.flush()

    assert await last_login(sql) == START + timedelta(minutes=30)
