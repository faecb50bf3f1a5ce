"""What the migration to scopes makes of the keys that are there."""

import asyncpg
import pytest

from adapters.postgres import migrate
from domain.identity.permissions import Permission

BEFORE = "2026_11_21_1420_joining"
SCOPES = "2026_11_21_1430_scopes"
TEAM = "00000000-0000-7000-8000-000000000001"
OWNER = "00000000-0000-7000-8000-000000000002"
MEMBER = "00000000-0000-7000-8000-000000000003"

_OLD_KEY = """
INSERT INTO api_keys (team_id, id, user_id, name, secret_hash, hint, allowed_models, created_at)
VALUES ($1, uuidv7(), $2, $3, $4, 'hint', $5, now())
"""


async def _people(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO teams (id, name, capture_content, created_at) VALUES ($1, 't', false, now())",
        TEAM,
    )
    for user_id, role in ((OWNER, "owner"), (MEMBER, "member")):
        await connection.execute(
            "INSERT INTO users (id, display_name, avatar_colour, locale, is_active, is_operator,"
            " created_at) VALUES ($1, 'u', '#64748b', 'en', true, false, now())",
            user_id,
        )
        await connection.execute(
            "INSERT INTO memberships (team_id, user_id, role) VALUES ($1, $2, $3)",
            TEAM,
            user_id,
            role,
        )


@pytest.fixture
async def old_url(fresh_database_url: str) -> str:
    """A database from before the scopes, with a key for all models and one for some."""
    await migrate.upgrade(fresh_database_url, BEFORE)
    connection = await asyncpg.connect(fresh_database_url)
    await _people(connection)
    await connection.execute(_OLD_KEY, TEAM, OWNER, "all", b"1", ["*"])
    await connection.execute(_OLD_KEY, TEAM, MEMBER, "some", b"2", ["gpt-*"])
    await connection.close()
    return fresh_database_url


async def test_keys_may_do_what_they_could(old_url: str) -> None:
    await migrate.upgrade(old_url, SCOPES)

    connection = await asyncpg.connect(old_url)
    found = dict(await connection.fetch("SELECT name, scopes FROM api_keys"))
    await connection.close()
    assert {"keys.manage", "owners.manage", "server.manage"} < set(found["all"])
    assert set(found["all"]) <= {str(permission) for permission in Permission}
    assert found["some"] == ["models.invoke", "calls.read"]


async def test_a_membership_goes_and_its_keys_stay(old_url: str) -> None:
    await migrate.upgrade(old_url, SCOPES)
    connection = await asyncpg.connect(old_url)

    await connection.execute("DELETE FROM memberships WHERE user_id = $1", MEMBER)

    keys = dict(await connection.fetch("SELECT name, user_id::text FROM api_keys"))
    await connection.close()
    assert keys == {"all": OWNER, "some": None}


async def test_going_back_gives_keys_of_nobody_to_the_owner(old_url: str) -> None:
    await migrate.upgrade(old_url, SCOPES)
    connection = await asyncpg.connect(old_url)
    await connection.execute("DELETE FROM memberships WHERE user_id = $1", MEMBER)

    await migrate.downgrade(old_url, BEFORE)

    keys = dict(await connection.fetch("SELECT name, user_id::text FROM api_keys"))
    await connection.close()
    assert keys == {"all": OWNER, "some": OWNER}
