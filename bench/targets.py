"""The servers of a run: the mock itself, Stoa in front of it, and nginx where it is installed."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.processes import command_line, cpu_seconds, descendants, is_postgres, pin

SRC = Path(__file__).parents[1] / "src"
KEY = re.compile(r"sk-stoa-[A-Za-z0-9_-]{43,}")
# A peer whose modules are not compiled yet takes more than half a minute by itself.
START_TIMEOUT_S = 180.0
STOA, EVERYTHING = "stoa", "stoa, everything on"
# What it is called before its database is filled.
EMPTY = "stoa, empty"
NGINX = """
worker_processes 1;
pid {work}/nginx.pid;
error_log {work}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {work}/nginx-body;
    proxy_temp_path {work}/nginx-proxy;
    upstream mock {{ server 127.0.0.1:{mock}; keepalive 256; keepalive_requests 10000000; }}
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 10000000;
        location / {{
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


@dataclass(kw_only=True)
class Target:
    """A running server. ``core`` is where its own processes are kept, ``beside`` where the
    database that it brought along is kept."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    key: str = "none"
    headers: dict[str, str] = field(default_factory=dict)
    start_s: dict[str, float] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/chat/completions"

    @property
    def own(self) -> list[int]:
        return [pid for pid in descendants(self.process.pid) if not is_postgres(pid)]

    @property
    def workers(self) -> list[int]:
        """The processes that answer: those that were begun for it, or the only one."""
        begun = [pid for pid in self.own if b"spawn_main(" in command_line(pid)]
        return begun or [self.process.pid]

    @property
    def database(self) -> list[int]:
        return [pid for pid in descendants(self.process.pid) if is_postgres(pid)]

    def keep_on(self, core: int | None, *, beside: int | None) -> None:
        pin(self.own, core)
        pin(self.database, beside)

    def get(self, path: str) -> bytes:
        """Raises ``OSError`` or ``HTTPException`` when there is no 200."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: object) -> bytes:
        """Raises like ``get``, where nothing was made."""
        return self._ask("POST", path, json.dumps(body))

    def _ask(self, method: str, path: str, body: str | None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {
            "authorization": f"Bearer {self.key}",
            "content-type": "application/json",
            **self.headers,
        }
        try:
            connection.request(method, path, body, headers=headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 201):
            raise http.client.HTTPException(f"{path} answered {answer.status}")
        return said

    def wait_for(self, path: str) -> float:
        """Seconds until the path answers."""
        return self.wait_until(lambda: self.get(path))

    def wait_until(self, ask: Callable[[], object]) -> float:
        """Seconds until the question is answered."""
        start = time.perf_counter()
        while time.perf_counter() - start < START_TIMEOUT_S:
            if self.process.poll() is not None:
                break
            try:
                ask()
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
            else:
                return time.perf_counter() - start
        raise SystemExit(f"{self.name} did not come up; its output is in the work folder.")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=10)


def start_mock(work: Path) -> Target:
    port = free_port()
    command = [sys.executable, "-m", "bench.mock_upstream", str(port)]
    mock = Target(name="direct", port=port, process=spawn(command, work / "mock.log"))
    mock.wait_for("/count")
    return mock


def start_stoa(work: Path, mock: Target, models: Iterable[str], workers: int = 1) -> Target:
    """Start it as a user would, with its own Postgres in the work folder."""
    config = work / "bench.yaml"
    config.write_text(json.dumps(_catalog(mock.port, models)))
    port, log = free_port(), work / "stoa.log"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STOA_")} | {
        "PYTHONPATH": str(SRC),
        "STOA_DATA_DIR": str(work / "data"),
        "STOA_CONFIG": str(config),
        "STOA_PORT": str(port),
    }
    command = [sys.executable, "-m", "entrypoints.cli.main", "serve", "--workers", str(workers)]
    stoa = Target(name=STOA, port=port, process=spawn(command, log, environment))
    alive = stoa.wait_for("/healthz")
    stoa.start_s = {"healthz": alive, "readyz": alive + stoa.wait_for("/readyz")}
    stoa.start_s["cpu"] = cpu_seconds(stoa.own)
    found = KEY.search(log.read_text())
    if found is None:
        raise SystemExit(f"No key was printed: {log}")
    stoa.key = found.group()
    return stoa


def with_everything(stoa: Target) -> Target:
    """The same server, asked with a key that has limits and a hard budget which nobody reaches."""
    key = {
        "name": "everything",
        "limits": {"rpm": 100_000_000, "tpm": 1_000_000_000, "concurrency": None},
        "budget": {"amount": "1000000", "period": "month", "hard": True},
    }
    secret = json.loads(stoa.post("/api/v1/keys", key))["key"]
    return replace(stoa, name=EVERYTHING, key=secret)


def start_nginx(work: Path, mock: Target) -> Target | None:
    program = shutil.which("nginx")
    if program is None:
        return None
    port = free_port()
    config = work / "nginx.conf"
    config.write_text(NGINX.format(work=work, port=port, mock=mock.port))
    command = [program, "-p", str(work), "-c", str(config), "-g", "daemon off;"]
    nginx = Target(name="nginx", port=port, process=spawn(command, work / "nginx.out"))
    nginx.wait_for("/count")
    return nginx


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def spawn(
    command: list[str], log: Path, environment: dict[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )


def _catalog(port: int, models: Iterable[str]) -> dict[str, object]:
    """JSON is YAML too."""
    prices = {"input": "0.15", "output": "0.6", "cached_input": "0.075"}
    provider: dict[str, object] = {
        "name": "mock",
        "type": "openai-compatible",
        "api_key": "upstream-key",
        "base_url": f"http://127.0.0.1:{port}/v1",
        "max_connections": 1100,
    }
    return {
        "providers": [provider],
        "models": [{"name": name, "provider": "mock", "prices": prices} for name in models],
    }
