"""Several processes behind one address."""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.fixtures.patience import PATIENCE_S, wait_until
from tests.fixtures.server import KEY, StoaServer

SCRIPTED = Path(__file__).with_name("scripted.yaml")
SETUP_LINK = re.compile(r"/setup#token=(\S+)")
COUNTED = 'stoa_calls_total{model="echo",operation="chat/completions",provider="script"'


@pytest.fixture(scope="module")
def first_crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoaServer]:
    server = StoaServer(
        data_dir=tmp_path_factory.mktemp("crew"),
        config=SCRIPTED,
        settings={"STOA_WORKERS": "2"},
    )
    _spawn(server)
    server.key = KEY.findall(server.output)[0]
    yield server
    server.stop()


@pytest.fixture
def crew(first_crew: StoaServer) -> StoaServer:
    """The server, brought up again if the test before has ended it."""
    if first_crew.process is None or first_crew.process.poll() is not None:
        _spawn(first_crew)
    return first_crew


def _spawn(server: StoaServer) -> None:
    starts = server.output.count("is ready on")
    server.spawn()
    wait_until(lambda: server.output.count("is ready on") > starts)


def _children(server: StoaServer) -> list[int]:
    assert server.process is not None
    pid = server.process.pid
    return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _workers(server: StoaServer) -> list[int]:
    return [c for c in _children(server) if b"spawn_main" in _command(c)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _chat(server: StoaServer, key: str, model: str = "echo") -> int:
    """A call over a connection of its own, so that any worker may get it."""
    return httpx.post(
        f"{server.base_url}/chat/completions",
        json={"model": model, "messages": [{"role": "user", "content": "hi"}]},
        headers={"authorization": f"Bearer {key}"},
        timeout=PATIENCE_S,
    ).status_code


def _many(server: StoaServer, key: str, count: int) -> "Counter[int]":
    with ThreadPoolExecutor(8) as callers:
        return Counter(callers.map(lambda _: _chat(server, key), range(count)))


def _counted(server: StoaServer) -> float:
    lines = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_S).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(COUNTED))


def _rows(server: StoaServer) -> "Counter[str]":
    answer = httpx.get(
        f"{server.url}/api/v1/calls",
        params={"limit": 200},
        headers={"authorization": f"Bearer {server.key}"},
        timeout=PATIENCE_S,
    )
    return Counter(row["status"] for row in answer.json()["items"])


def test_the_first_key_is_shown_once(crew: StoaServer) -> None:
    assert len(set(KEY.findall(crew.output))) == 1
    assert crew.output.count("shown only this once") == 1
    assert crew.output.index("shown only this once") < crew.output.index("is ready on")


def test_the_workers_print_one_setup_link_that_works(crew: StoaServer) -> None:
    wait_until(lambda: bool(SETUP_LINK.search(crew.output)))
    (token,) = SETUP_LINK.findall(crew.output)

    answer = httpx.post(
        f"{crew.url}/api/v1/setup",
        json={
            "token": token,
            "email": "ada@example.com",
            "password": "canary correct horse",
            "team_name": "Engines",
            "display_name": "Ada",
        },
        timeout=PATIENCE_S,
    )

    assert answer.status_code == 201


def test_every_worker_tells_what_all_have_counted_and_the_ledger_agrees(crew: StoaServer) -> None:
    before, rows_before = _counted(crew), _rows(crew).total()

    answers = _many(crew, crew.key, 60)

    # A call is counted a moment after its answer.
    wait_until(lambda: _counted(crew) == before + 60)
    assert answers == {200: 60}
    assert {_counted(crew) for _ in range(6)} == {before + 60}
    wait_until(lambda: _rows(crew)["succeeded"] == _rows(crew).total() == rows_before + 60)


def test_a_revoked_key_is_refused_by_all(crew: StoaServer) -> None:
    with httpx.Client(
        base_url=crew.url, headers={"authorization": f"Bearer {crew.key}"}, timeout=PATIENCE_S
    ) as client:
        made = client.post("/api/v1/keys", json={"name": "short-lived"}).json()
        while_valid = _many(crew, made["key"], 20)
        client.delete(f"/api/v1/keys/{made['id']}")

    assert while_valid == {200: 20}
    wait_until(lambda: _many(crew, made["key"], 20) == {401: 20})


def test_a_worker_that_dies_is_replaced_and_its_counts_stay(crew: StoaServer) -> None:
    before = _counted(crew)
    first, second = _workers(crew)

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(_workers(crew)) == 2 and first not in _workers(crew))
    answers = _many(crew, crew.key, 20)

    assert second in _workers(crew)
    assert answers == {200: 20}
    wait_until(lambda: _counted(crew) == before + 20)
    assert "worker.died" in crew.output


def test_workers_of_a_killed_parent_finish_and_the_next_start_recovers(crew: StoaServer) -> None:
    workers = _workers(crew)
    rows_before = _rows(crew)

    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(_chat, crew, crew.key, "slow")
        wait_until(lambda: _rows(crew).total() == rows_before.total() + 1)
        crew.kill()
        wait_until(lambda: not any(_command(pid) for pid in workers))
    _spawn(crew)

    assert running.result() == 200
    assert _rows(crew) == rows_before + Counter(succeeded=1)
    assert "leaked" not in crew.output
    assert len(set(KEY.findall(crew.output))) == 1


def test_ctrl_c_in_the_terminal_lets_running_calls_finish(crew: StoaServer) -> None:
    assert crew.process is not None
    rows_before = _rows(crew).total()
    with ThreadPoolExecutor(4) as callers:
        running = [callers.submit(_chat, crew, crew.key, "slow") for _ in range(4)]
        wait_until(lambda: _rows(crew).total() == rows_before + 4)
        # All processes of the terminal get it, the workers too.
        os.killpg(crew.process.pid, signal.SIGINT)
        code = crew.process.wait(timeout=PATIENCE_S)

    assert [call.result() for call in running] == [200] * 4
    assert code == 0
    assert "Traceback" not in crew.output
