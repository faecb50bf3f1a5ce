"""What a start says of a database that it cannot use, and how soon."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from adapters.postgres import migrate
from adapters.postgres.engine import place_of
from adapters.postgres.schema_version import schema_version
from domain.operations.errors import DatabaseRefusedError, DatabaseTooNewError
from domain.shared.errors import InvalidError, UnavailableError
from entrypoints.database import prepare_database
from tests.fixtures.embedded_postgres import execute

PATIENCE_S = 90.0


def _as(url: str, user: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}").geturl()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda url: urlsplit(url)._replace(path="/nowhere").geturl(), '"nowhere" does not exist'),
        (lambda url: _as(url, "nobody_here"), 'role "nobody_here" does not exist'),
        (lambda url: f"{url}&foo=bar", 'unrecognized configuration parameter "foo"'),
        (lambda url: f"{url}&sslmode=foo", "`sslmode` parameter must be one of"),
    ],
    ids=["database", "login", "server setting", "client option"],
)
async def test_a_database_that_refuses_is_not_waited_for(
    fresh_database_url: str, wrong: Callable[[str], str], reason: str
) -> None:
    started = time.monotonic()

    with pytest.raises(DatabaseRefusedError) as refused:
        await prepare_database(wrong(fresh_database_url), wait_s=PATIENCE_S)

    assert reason in refused.value.message
    assert refused.value.param == "STOA_DATABASE_URL"
    assert time.monotonic() - started < PATIENCE_S / 3


async def test_missing_rights_are_named(fresh_database_url: str) -> None:
    role = f"lowly_{urlsplit(fresh_database_url).path[-12:]}"
    await execute(fresh_database_url, f"CREATE ROLE {role} LOGIN")

    with pytest.raises(DatabaseRefusedError, match="permission denied for schema public"):
        await prepare_database(_as(fresh_database_url, role), wait_s=PATIENCE_S)

    await execute(fresh_database_url, f"DROP ROLE {role}")


async def test_an_absent_database_is_waited_for_and_that_is_said_at_once() -> None:
    started = time.monotonic()

    with capture_logs() as logs, pytest.raises(UnavailableError) as away:
        await prepare_database("postgresql://stoa:canary@127.0.0.1:9/stoa", wait_s=0.3)

    assert time.monotonic() - started >= 0.3
    assert away.value.message == (
        "The database at 127.0.0.1:9 cannot be reached: connection refused"
    )
    assert [(log["event"], log["log_level"]) for log in logs] == [("database.awaited", "warning")]
    assert "canary" not in str(logs)


def test_the_place_of_a_database_has_no_password() -> None:
    assert place_of("postgresql://me:secret@db.example:5433/x") == "db.example:5433"
    assert place_of("postgresql://me:secret@[::1]/x") == "[::1]:5432"
    assert place_of("postgresql://stoa@/x?host=/run/pg&port=1") == "/run/pg"
    assert place_of("postgresql:///x") == "localhost:5432"


async def test_a_newer_schema_is_left_alone(fresh_database_url: str) -> None:
    await execute(
        fresh_database_url,
        "CREATE TABLE alembic_version (version_num text PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('2999_01_01_0000_future')",
    )

    with pytest.raises(DatabaseTooNewError, match="2999_01_01_0000_future"):
        await prepare_database(fresh_database_url, wait_s=PATIENCE_S)

    assert await schema_version(fresh_database_url) == "2999_01_01_0000_future"


async def test_a_step_beyond_the_last_revision_is_refused(migrated_database_url: str) -> None:
    with pytest.raises(InvalidError, match=r"\+1"):
        await migrate.upgrade(migrated_database_url, "+1")
