"""A server as an operator would set it up: every setting that it is given acts."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.fixtures.patience import PATIENCE_S, wait_until
from tests.fixtures.server import StoaServer

SCRIPTED = Path(__file__).with_name("scripted.yaml")
CHAT = "/v1/chat/completions"
ORIGIN = "https://app.example.com"
METRICS_TOKEN = "canary-of-the-metrics"
SECRET_KEY = "canary0123456789abcdef0123456789abcdef"
LAST = '"correlation_id": "failed"'
HSTS = "strict-transport-security"


@dataclass(kw_only=True)
class ProductionServer(StoaServer):
    """It listens on an address that is not the default one."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.2:{self.port}"

    @property
    def own_log(self) -> Path:
        return self.data_dir / "logs" / "stoa.log"

    @property
    def postmaster(self) -> int:
        return int((self.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductionServer]:
    folder = tmp_path_factory.mktemp("production")
    with ProductionServer(
        data_dir=folder,
        config=SCRIPTED,
        settings={
            "STOA_ENVIRONMENT": "production",
            "STOA_SECRET_KEY": SECRET_KEY,
            "STOA_HOST": "127.0.0.2",
            "STOA_WORKERS": "2",
            "STOA_LOG_LEVEL": "warning",
            "STOA_LOG_FILE": str(folder / "logs" / "stoa.log"),
            "STOA_CORS_ORIGINS": f"https://other.example.com,{ORIGIN}/",
            "STOA_METRICS_TOKEN": METRICS_TOKEN,
            "STOA_MAX_BODY_BYTES": "2000",
        },
    ) as running:
        yield running


@pytest.fixture
def http(server: ProductionServer) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        yield client


def a_chat(model: str = "echo", text: str = "canary of a prompt") -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": text}]}


@contextmanager
def paused(postmaster: int) -> Iterator[None]:
    """The database does not answer, but is not gone either."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    family = (postmaster, *map(int, children))
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)


def test_it_listens_on_the_address_that_was_set_and_no_other(server: ProductionServer) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{server.port}/healthz")


def test_as_many_processes_serve_as_were_set(server: ProductionServer) -> None:
    assert server.process is not None
    pid = server.process.pid

    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    workers = [c for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
    assert len(workers) == 2


@pytest.mark.parametrize(
    "path",
    ["/api/v1/docs", "/api/v1/redoc", "/api/v1/openapi.json", "/api/v1/docs/assets/page.css"],
)
def test_production_hides_the_documentation(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/keys", "/v1/models", "/nothing", "/v1/x"])
def test_production_asks_for_transport_security_on_every_answer(
    http: httpx.Client, path: str
) -> None:
    assert HSTS in http.get(path).headers


def test_a_stream_has_the_security_headers_too(http: httpx.Client) -> None:
    answer = http.post(CHAT, json=a_chat() | {"stream": True}, headers={"origin": ORIGIN})

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    for name in (HSTS, "content-security-policy", "x-frame-options", "referrer-policy"):
        assert name in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_of_listed_origins_may_call_and_others_may_not(http: httpx.Client) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "x-own"}

    listed = http.options(CHAT, headers={"origin": ORIGIN, **asked})
    other = http.options(CHAT, headers={"origin": "https://evil.example.com", **asked})
    refused = http.get("/v1/models", headers={"origin": ORIGIN, "authorization": "Bearer x"})

    assert listed.status_code == 204
    assert listed.headers["access-control-allow-origin"] == ORIGIN
    assert "x-own" in listed.headers["access-control-allow-headers"]
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)


def test_the_metrics_need_their_token(http: httpx.Client) -> None:
    wrong = http.get("/metrics")
    right = http.get("/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"})

    assert wrong.status_code == 401
    assert right.status_code == 200
    assert "stoa_http_requests_total" in right.text


@pytest.mark.parametrize("path", [CHAT, "/api/v1/keys"])
def test_longer_bodies_than_set_are_refused(http: httpx.Client, path: str) -> None:
    answer = http.post(path, json={"name": "x" * 2000})

    assert answer.status_code == 413


def test_a_call_that_cannot_be_recorded_in_time_is_refused(tmp_path: Path) -> None:
    settings = {"STOA_LEDGER_TIMEOUT_SECONDS": "0.5", "STOA_HOST": "127.0.0.2"}
    hasty = ProductionServer(data_dir=tmp_path, config=SCRIPTED, settings=settings)

    def call() -> httpx.Response:
        headers = {"authorization": f"Bearer {hasty.key}"}
        return httpx.post(hasty.url + CHAT, json=a_chat(), headers=headers, timeout=PATIENCE_S)

    with hasty, ThreadPoolExecutor(32) as callers:
        wait_until(lambda: call().status_code == httpx.codes.OK)
        with paused(hasty.postmaster):
            calls = [callers.submit(call)]
            while len(refused := [made.result() for made in calls if made.done()]) < 4:
                time.sleep(0.1)
                calls.append(callers.submit(call))
        first = calls[0].result()

    # Its row is on its way to the database, and it waits for it.
    assert first.status_code == 200
    assert {answer.status_code for answer in refused} == {503}
    assert {answer.json()["error"]["code"] for answer in refused} == {"ledger_unavailable"}


def test_the_log_is_json_from_the_level_that_was_set(
    server: ProductionServer, http: httpx.Client
) -> None:
    http.post(CHAT, json=a_chat(), headers={"x-correlation-id": "fine"})
    http.post(CHAT, json=a_chat("nothing"), headers={"x-correlation-id": "refused"})
    http.post(CHAT, json=a_chat("broken"), headers={"x-correlation-id": "failed"})

    # An answer is sent before it is logged.
    wait_until(lambda: LAST in server.own_log.read_text() and LAST in server.output)
    entries = [json.loads(line) for line in server.own_log.read_text().splitlines()]
    mine = {entry.get("correlation_id"): entry for entry in entries}
    assert {entry["level"] for entry in entries} <= {"warning", "error"}
    assert "fine" not in mine
    assert mine["refused"]["code"] == "MODEL_NOT_FOUND"
    assert mine["failed"]["level"] == "error"
    assert "Traceback" in mine["failed"]["exception"]
    assert mine["failed"] == next(json.loads(o) for o in server.output.splitlines() if LAST in o)


def test_nothing_secret_was_written_in_all_this(server: ProductionServer) -> None:
    written = server.own_log.read_text() + server.output.replace(server.key, "", 2)

    assert not re.search(r"canary|sk-stoa-\w{8}", written)
