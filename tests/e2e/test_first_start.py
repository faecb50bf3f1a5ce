"""The promise of the README: one command, no configuration, a real answer."""

import asyncio
import re
import shlex
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from openai import OpenAI

from adapters.embedded_postgres.server import EmbeddedPostgres
from tests.fixtures.patience import until_told
from tests.fixtures.prepared_cluster import put_prepared_cluster
from tests.fixtures.server import StoaServer

pytestmark = pytest.mark.local_model


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoaServer]:
    with StoaServer(data_dir=tmp_path_factory.mktemp("fresh"), from_scratch=True) as server:
        yield server


def test_the_embedded_model_knows_the_capital_of_france(fresh: StoaServer) -> None:
    client = OpenAI(base_url=fresh.base_url, api_key=fresh.key)
    answer = client.chat.completions.create(
        model="smollm2",
        messages=[{"role": "user", "content": "What is the capital of France?"}],
    )

    assert "Paris" in (answer.choices[0].message.content or "")


def test_the_call_is_in_the_usage(fresh: StoaServer) -> None:
    client = OpenAI(base_url=fresh.base_url, api_key=fresh.key)
    client.chat.completions.create(
        model="smollm2", messages=[{"role": "user", "content": "Hello"}], max_tokens=4
    )

    shown = fresh.run("usage", "--by", "model")

    assert shown.returncode == 0
    assert "smollm2" in shown.stdout


def test_the_printed_curl_line_works(fresh: StoaServer) -> None:
    line = re.search(r"curl .*", fresh.output)

    assert line is not None
    answer = subprocess.run(  # noqa: S603 - what the server printed for pasting
        shlex.split(line.group()), capture_output=True, text=True, check=True, timeout=60
    )
    assert "Paris" in answer.stdout


def test_the_embedded_embeddings_rank_by_meaning(fresh: StoaServer) -> None:
    client = OpenAI(base_url=fresh.base_url, api_key=fresh.key)
    answer = client.embeddings.create(
        model="all-minilm-l6-v2",
        input=["A cat sits on the mat.", "A kitten rests on a rug.", "Interest rates rose."],
    )
    cat, kitten, rates = (item.embedding for item in answer.data)

    def similarity(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert similarity(cat, kitten) > similarity(cat, rates) + 0.3


def test_a_second_server_on_the_same_directory_is_refused(fresh: StoaServer) -> None:
    second = StoaServer(data_dir=fresh.data_dir)
    answer = second.run("serve")

    assert answer.returncode != 0
    assert str(fresh.data_dir) in answer.stderr
    assert "Traceback" not in answer.stderr


async def test_healthz_answers_before_the_database_is_there(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    # Under a longer name its socket would be elsewhere each time.
    database = tmp_path_factory.mktemp("d")
    put_prepared_cluster(database)
    postgres = EmbeddedPostgres(database)
    settings = {"STOA_DATABASE_URL": await postgres.start(), "STOA_DATABASE_WAIT_SECONDS": "300"}
    await postgres.stop()
    server = StoaServer(data_dir=database / "server", settings=settings)

    await asyncio.to_thread(server.spawn)
    try:
        await until_told(lambda: _answers(server, "/healthz", 200))
        is_awaited = await _answers(server, "/readyz", 503)
        await postgres.start()
        await until_told(lambda: _answers(server, "/readyz", 200))
    finally:
        await asyncio.to_thread(server.stop)
        await postgres.stop()

    assert is_awaited


async def _answers(server: StoaServer, path: str, status: int) -> bool:
    async with httpx.AsyncClient(base_url=server.url) as client:
        try:
            return (await client.get(path)).status_code == status
        except httpx.TransportError:
            return False


def test_the_key_is_printed_only_by_the_first_start(fresh: StoaServer) -> None:
    fresh.stop()
    fresh.log_file.write_text("")

    fresh.from_scratch = False
    fresh.start()

    assert fresh.key
    assert "sk-stoa-" not in fresh.output
