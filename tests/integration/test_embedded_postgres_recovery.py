import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from adapters.embedded_postgres.orphan import runs_on
from adapters.embedded_postgres.server import EmbeddedPostgres
from tests.fixtures.embedded_postgres import (
    end_input,
    execute,
    fetch,
    holder,
    is_gone,
    line_of,
    permissions,
    postmaster_of,
    running,
)


async def test_a_killed_holder_is_succeeded_and_its_data_is_there(used_directory: Path) -> None:
    with holder(used_directory) as process:
        url = line_of(process)
        await execute(url, "CREATE TABLE IF NOT EXISTS late (n int)", "INSERT INTO late VALUES (1)")
        orphan = postmaster_of(used_directory)
        process.kill()
    assert runs_on(used_directory / "postgres", orphan)

    async with running(used_directory) as url:
        late = await fetch(url, "SELECT max(n) FROM late")

    assert late == 1
    assert is_gone(used_directory, orphan)


async def test_recovers_when_holder_and_server_were_killed(used_directory: Path) -> None:
    with holder(used_directory) as process:
        url = line_of(process)
        await execute(url, "CREATE TABLE crashed (n int)", "INSERT INTO crashed VALUES (7)")
        os.kill(postmaster_of(used_directory), signal.SIGKILL)
        process.kill()

    async with running(used_directory) as url:
        crashed = await fetch(url, "SELECT n FROM crashed")

    assert crashed == 7


async def test_waits_for_a_session_that_outlives_the_killed_server(used_directory: Path) -> None:
    with holder(used_directory) as process:
        session = await asyncpg.connect(line_of(process))
        backend = session.get_server_pid()
        os.kill(backend, signal.SIGSTOP)
        os.kill(postmaster_of(used_directory), signal.SIGKILL)
        process.kill()
    server = EmbeddedPostgres(used_directory)

    start = asyncio.create_task(server.start())
    await asyncio.sleep(0.3)
    was_started_early = start.done()
    os.kill(backend, signal.SIGCONT)
    kept = await fetch(await start, "SELECT n FROM kept")
    await server.stop()
    session.terminate()

    assert not was_started_early
    assert kept == 42


async def test_a_lock_file_with_the_number_of_a_living_stranger_is_no_obstacle(
    used_directory: Path, stranger: int
) -> None:
    lock_file = used_directory / "postgres" / "postmaster.pid"
    lock_file.write_text(f"{stranger}\n{used_directory}/postgres\n0\n5432\n\n\n")

    async with running(used_directory) as url:
        kept = await fetch(url, "SELECT n FROM kept")

    assert kept == 42
    os.kill(stranger, 0)


async def test_an_empty_lock_file_is_no_obstacle(used_directory: Path) -> None:
    (used_directory / "postgres" / "postmaster.pid").write_text("")

    async with running(used_directory) as url:
        kept = await fetch(url, "SELECT n FROM kept")

    assert kept == 42


async def test_an_interrupted_creation_is_begun_anew(tmp_path: Path) -> None:
    half_made = tmp_path / "postgres.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")

    async with running(tmp_path) as url:
        answer = await fetch(url, "SELECT 1")

    assert answer == 1
    assert not half_made.exists()


async def test_a_cancelled_start_leaves_nothing_behind(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    start = asyncio.create_task(server.start())
    await asyncio.sleep(0.1)

    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    async with running(tmp_path) as url:
        answer = await fetch(url, "SELECT 1")

    assert answer == 1


async def test_ctrl_c_in_the_terminal_does_not_reach_the_server(used_directory: Path) -> None:
    with holder(used_directory) as process:
        url = line_of(process)
        pid = postmaster_of(used_directory)

        os.killpg(process.pid, signal.SIGINT)
        await asyncio.sleep(0.3)
        kept = await fetch(url, "SELECT n FROM kept")
        end_input(process)

    assert kept == 42
    assert is_gone(used_directory, pid)


async def test_the_socket_directory_of_a_killed_server_is_removed(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 30)
    with holder(data_dir) as process:
        left_behind = Path(str(make_url(line_of(process)).query["host"]))
        os.kill(postmaster_of(data_dir), signal.SIGKILL)
        process.kill()
    assert permissions(left_behind) is not None

    async with running(data_dir):
        pass

    assert permissions(left_behind) is None
