"""Passwords, tokens and cookies of people are sent wherever they can be sent, and then looked for
in all that is written: the output, the log at debug level, and every table of the database."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.server import StoaServer

CANARY = "canary"
PASSWORD = "canary-password-of-ada"
NEXT_PASSWORD = "canary-password-of-ada-2"
WRONG_PASSWORD = "canary-password-of-nobody"
TOKEN = "canary-token-that-nobody-made"
EMAIL = "ada@example.org"
SETUP_TOKEN = re.compile(r"/setup#token=(\S+)")
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    server: StoaServer
    database_url: str
    log: Path


@pytest.fixture(scope="module")
async def place(
    postgres_under_test: PostgresUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    database = f"{postgres_under_test.prefix}_canaries_{uuid4().hex[:8]}"
    url = await postgres_under_test.create(database)
    folder = tmp_path_factory.mktemp("canaries")
    log = folder / "stoa.log"
    server = StoaServer(
        data_dir=folder / "data",
        settings={
            "STOA_DATABASE_URL": url,
            "STOA_SECRET_KEY": "canary-secret-key-of-the-server-0123",
            "STOA_LOG_LEVEL": "debug",
            "STOA_LOG_FILE": str(log),
        },
    )
    await asyncio.to_thread(server.start)
    yield Place(server=server, database_url=url, log=log)
    await asyncio.to_thread(server.stop)
    await postgres_under_test.drop(database)


async def test_nothing_that_is_written_holds_a_secret_of_a_person(place: Place) -> None:
    found = SETUP_TOKEN.search(place.server.output)
    assert found is not None
    async with httpx.AsyncClient(base_url=f"{place.server.url}/api/v1", timeout=20) as client:
        secrets = await _live_a_life(client, found.group(1), place.server.key)

    shown_once = place.server.output.replace(place.server.key, "").replace(found.group(1), "")
    stored = await _all_rows(place.database_url)
    for written in (shown_once, place.log.read_text(), stored):
        assert CANARY not in written
        assert [secret for secret in secrets if secret in written] == []


async def _live_a_life(client: httpx.AsyncClient, setup_token: str, key: str) -> list[str]:
    """Do all that takes a secret, rightly and wrongly, and return those that the server made."""
    operator = {"authorization": f"Bearer {key}"}
    claim = {"email": EMAIL, "password": PASSWORD, "team_name": "T", "display_name": "Ada"}
    for token in (TOKEN, setup_token):
        answer = await client.post("/setup", json=claim | {"token": token})
    assert answer.is_success
    login = {"email": EMAIL, "password": PASSWORD}
    for path in ("/auth/login", "/auth/token"):
        await client.post(path, json=login | {"password": WRONG_PASSWORD})
        await client.post(path, json=login | {"password": [WRONG_PASSWORD]})
    cookie = (await client.post("/auth/login", json=login)).cookies["stoa_session"]
    client.cookies.clear()
    tokens = (await client.post("/auth/token", json=login)).json()
    fresh = await client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    await client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    tokens_again = (await client.post("/auth/token", json=login)).json()
    ada = {"authorization": f"Bearer {tokens_again['access_token']}"}
    change = {"current_password": WRONG_PASSWORD, "new_password": NEXT_PASSWORD}
    await client.post("/auth/password", json=change, headers=ada)
    changed = await client.post(
        "/auth/password", json=change | {"current_password": PASSWORD}, headers=ada
    )
    assert changed.is_success
    await client.post("/auth/password_reset", json={"email": EMAIL})
    reset = {"token": TOKEN, "password": NEXT_PASSWORD}
    await client.post("/auth/password_reset/confirm", json=reset)
    await client.post("/invitations/accept", json=reset | {"display_name": "Bob"})
    await client.get("/me", headers={"authorization": f"Bearer {TOKEN}.{TOKEN}.{TOKEN}"})
    await client.get("/me", headers={"cookie": f"stoa_session={TOKEN}"})
    person = {"email": "bob@example.org", "display_name": "Bob", "password": PASSWORD}
    assert (await client.post("/users", json=person, headers=operator)).is_success
    made = [cookie, setup_token, key]
    for answer in (tokens, fresh.json(), tokens_again):
        made += [answer["access_token"], answer["refresh_token"]]
    return made


async def _all_rows(url: str) -> str:
    connection = await asyncpg.connect(url)
    tables = [row["relname"] for row in await connection.fetch(TABLES)]
    rows = [
        str(dict(row))
        for table in tables
        for row in await connection.fetch(f'SELECT * FROM "{table}"')  # noqa: S608 - its own name
    ]
    await connection.close()
    assert len(rows) > len(tables) / 2
    return "\n".join(rows)
