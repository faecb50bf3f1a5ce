import pytest

from adapters.postgres.external import ExternalPostgres
from domain.shared.errors import InvalidError


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:pw@db.example:5433/stoa?sslmode=require",
        "postgres://ann:pw@db.example:5433/stoa?sslmode=require",
        "postgresql+asyncpg://ann:pw@db.example:5433/stoa?sslmode=require",
        "  POSTGRES://ann:pw@db.example:5433/stoa?sslmode=require\n",
    ],
    ids=["plain", "short", "driver", "untidy"],
)
async def test_known_spellings_become_one(url: str) -> None:
    started = await ExternalPostgres(url).start()

    assert started == "postgresql://ann:pw@db.example:5433/stoa?sslmode=require"


async def test_a_socket_directory_is_kept() -> None:
    started = await ExternalPostgres("postgres:///stoa?host=/run/postgresql").start()

    assert started == "postgresql:///stoa?host=/run/postgresql"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ann:hunter2@db/stoa",
        "ann:hunter2@db/stoa",
        "postgresql+psycopg://ann:hunter2@db/stoa",
        "postgresql://ann:hunter2@db:port/stoa",
        "postgresql://ann:hunter2@[::1/stoa",
        "",
    ],
    ids=["other-database", "no-scheme", "other-driver", "bad-port", "bad-host", "empty"],
)
async def test_a_wrong_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidError) as raised:
        await ExternalPostgres(url).start()

    assert raised.value.param == "STOA_DATABASE_URL"
    assert "hunter2" not in raised.value.message


async def test_stopping_does_nothing_however_often() -> None:
    server = ExternalPostgres("postgresql://db/stoa")

    await server.stop()
    await server.start()
    await server.stop()
