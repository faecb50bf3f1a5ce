"""An answer is not lost because it cannot be stored."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from openai import AsyncOpenAI

from tests.e2e.conftest import SCRIPTED
from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

ERRAND = "errand keeping a response"


@pytest.fixture(scope="module")
async def storeless(
    postgres_under_test: PostgresUnderTest,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[StoaServer]:
    """A server whose table of responses is gone."""
    database = f"{postgres_under_test.prefix}_storeless_{uuid4().hex[:8]}"
    url = await postgres_under_test.create(database, template=migrated_template)
    folder: Path = tmp_path_factory.mktemp("storeless")
    settings = {"STOA_DATABASE_URL": url}
    server = StoaServer(data_dir=folder, config=SCRIPTED, settings=settings)
    await asyncio.to_thread(server.start)
    connection = await asyncpg.connect(url)
    await connection.execute("ALTER TABLE responses RENAME TO lost")
    await connection.close()
    yield server
    await asyncio.to_thread(server.stop)
    await postgres_under_test.drop(database)


async def test_an_answer_outlives_its_store_which_is_on_record(storeless: StoaServer) -> None:
    async with AsyncOpenAI(
        base_url=storeless.base_url, api_key=storeless.key, max_retries=0
    ) as client:
        answer = await client.responses.create(model="echo", input="hello there")
        stream = await client.responses.create(model="echo", input="hello there", stream=True)
        last = [event async for event in stream][-1]

    assert answer.output_text == "hello there"
    assert last.type == "response.completed"
    assert last.response.output_text == "hello there"
    for response in (answer, last.response):
        assert response.model_extra is not None
        assert response.model_extra["store"] is False
    assert await _recorded(storeless) == 2


async def _recorded(server: StoaServer) -> int:
    """How often the errors on record say that a response could not be kept."""
    headers = {"authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as operator:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            groups = (await operator.get("/api/v1/errors")).raise_for_status().json()["items"]
            found = [group for group in groups if ERRAND in str(group)]
            if found and found[0]["count"] == 2:
                break
            await asyncio.sleep(0.1)
    return sum(group["count"] for group in found)
