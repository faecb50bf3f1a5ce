"""Asked to stop, at any moment and in any way."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from adapters.embedded_postgres.orphan import read_record, runs_on
from tests.fixtures.patience import PATIENCE_S, wait_until
from tests.fixtures.server import StoaServer

SCRIPTED = Path(__file__).with_name("scripted.yaml")


def _send(server: StoaServer, number: signal.Signals) -> None:
    assert server.process is not None
    server.process.send_signal(number)


def _exit_code(server: StoaServer) -> int:
    assert server.process is not None
    return server.process.wait(timeout=PATIENCE_S)


def _leaves_postgres(server: StoaServer) -> bool:
    cluster = server.data_dir / "postgres"
    record = read_record(cluster) if cluster.exists() else None
    return record is not None and runs_on(cluster, record.pid)


@pytest.mark.parametrize(
    ("reached", "number"),
    [
        ("stoa.lock", signal.SIGINT),
        ("postgres.log", signal.SIGTERM),
        ("postgres/postmaster.pid", signal.SIGHUP),
    ],
    ids=["making-the-cluster", "starting-it", "waiting-for-it"],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_start_can_be_broken_off(
    tmp_path: Path, reached: str, number: signal.Signals, workers: str
) -> None:
    server = StoaServer(
        data_dir=tmp_path,
        config=SCRIPTED,
        settings={"STOA_WORKERS": workers},
        makes_cluster=reached == "stoa.lock",
    )
    server.spawn()
    wait_until((tmp_path / reached).exists)

    _send(server, number)

    assert _exit_code(server) == 0
    assert "Traceback" not in server.output
    assert not _leaves_postgres(server)


def test_closing_the_terminal_is_stopping(tmp_path: Path) -> None:
    server = StoaServer(data_dir=tmp_path, config=SCRIPTED).start()

    _send(server, signal.SIGHUP)

    assert _exit_code(server) == 0
    assert not _leaves_postgres(server)


def test_a_second_ctrl_c_cuts_what_runs_and_keeps_its_row(tmp_path: Path) -> None:
    server = StoaServer(data_dir=tmp_path, config=SCRIPTED).start()
    with ThreadPoolExecutor(1) as callers:
        hung = callers.submit(_chat, server, "hung")
        wait_until(lambda: "open" in _statuses(server))

        _send(server, signal.SIGINT)
        # Two that come before it looks would be one.
        wait_until(lambda: "server.stopping" in server.output)
        waits = server.process is not None and server.process.poll() is None
        _send(server, signal.SIGINT)
        code = _exit_code(server)
        hung.result()
    server.start()
    statuses = _statuses(server)
    server.stop()

    assert waits
    assert code == 0
    assert statuses == ["cancelled"]
    assert "Traceback" not in server.output


def _chat(server: StoaServer, model: str) -> int:
    try:
        return httpx.post(
            f"{server.base_url}/chat/completions",
            json={"model": model, "messages": [{"role": "user", "content": "hi"}]},
            headers={"authorization": f"Bearer {server.key}"},
            timeout=PATIENCE_S,
        ).status_code
    except httpx.TransportError:
        return 0


def _statuses(server: StoaServer) -> list[str]:
    headers = {"authorization": f"Bearer {server.key}"}
    answer = httpx.get(f"{server.url}/api/v1/calls", headers=headers, timeout=PATIENCE_S)
    return [row["status"] for row in answer.json()["items"]]
