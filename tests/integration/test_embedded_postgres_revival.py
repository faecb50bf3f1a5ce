"""An embedded server that dies under its owner."""

import asyncio
import os
import signal
import time
from pathlib import Path

import asyncpg
from structlog.testing import capture_logs

from adapters.embedded_postgres.orphan import runs_on
from adapters.embedded_postgres.server import EmbeddedPostgres
from tests.fixtures.embedded_postgres import execute, fetch, is_gone, postmaster_of, running
from tests.fixtures.patience import PATIENCE_S

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def _fetch_when_back(url: str, query: str, within_s: float = 40) -> object:
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await fetch(url, query)
            except AWAY:
                await asyncio.sleep(0.02)


async def _until_gone(data_dir: Path, pid: int) -> None:
    assert await asyncio.to_thread(is_gone, data_dir, pid)


async def test_a_killed_server_comes_back_at_its_address_with_its_data(
    used_directory: Path,
) -> None:
    with capture_logs() as logs:
        async with running(used_directory) as url:
            first = postmaster_of(used_directory)
            await execute(url, "CREATE TABLE late (n int)", "INSERT INTO late VALUES (7)")

            os.kill(first, signal.SIGKILL)
            await _until_gone(used_directory, first)
            late = await _fetch_when_back(url, "SELECT n FROM late")
            second = postmaster_of(used_directory)
            # It answers a moment before the one who started it again has seen that it does.
            async with asyncio.timeout(PATIENCE_S):
                while not any(log["event"] == "postgres.restarted" for log in logs):
                    await asyncio.sleep(0.01)

    assert late == 7
    assert second != first
    assert not runs_on(used_directory / "postgres", second)
    told = [log for log in logs if log["event"].startswith("postgres.")]
    assert [log["event"] for log in told] == ["postgres.died", "postgres.restarted"]
    assert told[0]["exit_code"] == -signal.SIGKILL


async def test_it_comes_back_each_time_also_with_sessions_that_outlive_it(
    used_directory: Path,
) -> None:
    async with running(used_directory) as url:
        for _ in range(2):
            session = await asyncpg.connect(url)
            busy = asyncio.create_task(session.execute("SELECT pg_sleep(1)"))
            await asyncio.sleep(0.05)
            pid = postmaster_of(used_directory)
            os.kill(pid, signal.SIGKILL)
            await _until_gone(used_directory, pid)
            kept = await _fetch_when_back(url, "SELECT n FROM kept")
            await asyncio.gather(busy, return_exceptions=True)
            session.terminate()
            assert kept == 42


async def test_a_server_that_does_not_come_back_is_tried_until_it_does(
    used_directory: Path,
) -> None:
    control = used_directory / "postgres" / "global" / "pg_control"
    hidden = control.with_name("hidden")
    with capture_logs() as logs:
        async with running(used_directory) as url:
            pid = postmaster_of(used_directory)
            control.rename(hidden)
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(PATIENCE_S):
                # A list of logs has no event to wait for.
                while not any(log["event"] == "postgres.not_restarted" for log in logs):
                    await asyncio.sleep(0.02)

            hidden.rename(control)
            kept = await _fetch_when_back(url, "SELECT n FROM kept")

    failure = next(log for log in logs if log["event"] == "postgres.not_restarted")
    assert kept == 42
    assert "pg_control" in failure["reason"]


async def test_one_that_is_down_can_be_stopped_at_once(used_directory: Path) -> None:
    control = used_directory / "postgres" / "global" / "pg_control"
    hidden = control.with_name("hidden")
    server = EmbeddedPostgres(used_directory)
    await server.start()
    pid = postmaster_of(used_directory)
    control.rename(hidden)
    os.kill(pid, signal.SIGKILL)
    await _until_gone(used_directory, pid)
    await asyncio.sleep(0.5)

    started = time.monotonic()
    await server.stop()
    hidden.rename(control)

    assert time.monotonic() - started < PATIENCE_S / 2
    async with running(used_directory) as url:
        assert await fetch(url, "SELECT n FROM kept") == 42


async def test_one_that_somebody_asked_to_stop_does_not_linger_half_closed(
    used_directory: Path,
) -> None:
    async with running(used_directory) as url:
        session = await asyncpg.connect(url)
        pid = postmaster_of(used_directory)

        os.kill(pid, signal.SIGTERM)
        await _until_gone(used_directory, pid)
        kept = await _fetch_when_back(url, "SELECT n FROM kept")
        session.terminate()

    assert kept == 42


async def test_it_comes_back_in_its_temporary_socket_directory(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 30)
    async with running(data_dir) as url:
        pid = postmaster_of(data_dir)
        os.kill(pid, signal.SIGKILL)
        await _until_gone(data_dir, pid)

        assert await _fetch_when_back(url, "SELECT 1") == 1
