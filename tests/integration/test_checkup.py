"""What `stoa doctor` finds, each trouble by itself."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.postgres import migrate
from adapters.postgres.schema_version import HEAD
from entrypoints.checkup.finding import Finding, Verdict
from entrypoints.checkup.machine import check_address, check_data_directory
from entrypoints.checkup.serving import check_serving
from entrypoints.checkup.storage import check_database
from entrypoints.settings import Settings
from entrypoints.settings_loading import load_settings

LOCAL = """
providers: [{name: here, type: local}]
models: [{name: mine, provider: here, upstream_name: %s}]
"""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def in_(findings: list[Finding], check: str) -> Finding:
    return next(finding for finding in findings if finding.check == check)


async def test_finds_a_port_that_something_else_has(taken_port: int) -> None:
    found = await check_address(Settings(port=taken_port))

    assert found.verdict is Verdict.FAIL
    assert f"Port {taken_port} on 127.0.0.1 is in use" in found.detail
    assert found.advice == "free it, or set STOA_HOST and STOA_PORT to another address"


async def test_finds_an_address_that_the_machine_does_not_have() -> None:
    found = await check_address(Settings(host="192.0.2.1", port=8000))

    assert found.verdict is Verdict.FAIL
    assert "192.0.2.1 is not an address of this machine" in found.detail


def test_finds_a_data_directory_that_cannot_be_made(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    found = check_data_directory(Settings(data_dir=blocked / "below"))

    assert found.verdict is Verdict.FAIL
    assert str(blocked) in found.detail
    assert "set STOA_DATA_DIR" in str(found.advice)


async def test_finds_a_database_that_is_not_there() -> None:
    settings = Settings(database_url="postgresql://stoa:canary@127.0.0.1:9/stoa")

    (found,) = await check_database(settings)

    assert found.verdict is Verdict.FAIL
    assert found.advice == "start it and check STOA_DATABASE_URL"
    assert "canary" not in found.detail


async def test_finds_pending_migrations(fresh_database_url: str) -> None:
    settings = Settings(database_url=fresh_database_url)

    empty = in_(await check_database(settings), "migrations")
    await migrate.upgrade(fresh_database_url)
    newest = in_(await check_database(settings), "migrations")

    assert empty.verdict is Verdict.WARN
    assert empty.detail == f"the database is at base, the code needs {HEAD}"
    assert "stoa db upgrade" in str(empty.advice)
    assert newest.verdict is Verdict.OK


@pytest.mark.parametrize(
    ("content", "check", "says"),
    [
        (None, "configuration", "names a file that does not exist"),
        ("no model", "model mine", "is not a GGUF file"),
    ],
    ids=["missing", "something else"],
)
async def test_finds_a_model_file_that_is_none(
    tmp_path: Path, content: str | None, check: str, says: str
) -> None:
    model, config = tmp_path / "model.gguf", tmp_path / "stoa.yaml"
    config.write_text(LOCAL % model)
    if content is not None:
        model.write_text(content)
    loaded = load_settings({"STOA_CONFIG": str(config)}, dotenv_path=None)

    found = in_(await check_serving(loaded), check)

    assert found.verdict is Verdict.FAIL
    assert says in found.detail
    assert found.advice
