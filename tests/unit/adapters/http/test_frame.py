import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from adapters.http.client_origin import ClientOrigins
from adapters.http.failures import Failures
from adapters.http.frame import Frame
from adapters.http.metrics.requests import RequestMetrics
from application.operations.records.error_reporter import ErrorReporter
from application.shared.correlation import correlation_id
from application.shared.ports import IdGenerator
from tests.fakes.clock import FrozenClock
from tests.fakes.errors import RecordingErrorLog

App = Callable[[Any, Any, Any], Awaitable[None]]
FIRST_ID = str(UUID(int=1))


class CountedIds(IdGenerator):
    last = 0

    def new(self) -> UUID:
        self.last += 1
        return UUID(int=self.last)


class Framed:
    """An application in its frame, and what came out of it."""

    def __init__(self, app: App, *, hsts: bool = False, **direct: App) -> None:
        """``direct`` are answered at the path of their name."""
        self.registry = CollectorRegistry()
        self.errors = RecordingErrorLog()
        reporter = ErrorReporter(errors=self.errors, clock=FrozenClock(), ids=CountedIds())
        self.frame: Any = Frame(
            app,
            direct={f"/{name}": answer for name, answer in direct.items()},
            ids=CountedIds(),
            metrics=RequestMetrics(self.registry),
            failures=Failures(reporter),
            hsts=hsts,
            origins=ClientOrigins(),
        )
        self.sent: list[dict[str, Any]] = []

    async def ask(self, **scope: Any) -> dict[str, str]:
        """The headers of the answer."""
        request = {"type": "http", "method": "GET", "path": "/x", "headers": []}
        await self.frame(request | scope, self._receive, self._send)
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def answering(*headers: tuple[bytes, bytes], status: int = 200) -> App:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        scope["path_template"] = "/things/{id}"
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return app


async def test_an_answer_carries_the_ids_and_the_security_headers() -> None:
    headers = await Framed(answering((b"content-type", b"text/plain"))).ask()

    assert headers["content-type"] == "text/plain"
    assert headers["x-request-id"] == FIRST_ID
    assert headers["x-correlation-id"] == FIRST_ID
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "strict-transport-security" not in headers


async def test_transport_security_is_asked_for_where_it_is_wanted() -> None:
    headers = await Framed(answering(), hsts=True).ask()

    assert "max-age=31536000" in headers["strict-transport-security"]


async def test_a_clients_correlation_id_is_taken() -> None:
    framed = Framed(answering())

    headers = await framed.ask(headers=[(b"x-correlation-id", b"job:42/a_b.c+d=e@f-g")])

    assert headers["x-correlation-id"] == "job:42/a_b.c+d=e@f-g"
    assert headers["x-request-id"] == FIRST_ID


@pytest.mark.parametrize(
    "sent", [b"", b"a b", b"x" * 129, b"a\nb", "ü".encode(), b"<script>"], ids=repr
)
async def test_an_unfit_correlation_id_is_replaced(sent: bytes) -> None:
    headers = await Framed(answering()).ask(headers=[(b"x-correlation-id", sent)])

    assert headers["x-correlation-id"] == FIRST_ID


async def test_handlers_find_the_ids() -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope["state"], context=correlation_id.get())
        await answering()(scope, receive, send)

    await Framed(app).ask(headers=[(b"x-correlation-id", b"c-1")], state={"shared": 1})

    assert seen == {
        "shared": 1,
        "request_id": UUID(int=1),
        "correlation_id": "c-1",
        "context": "c-1",
    }


async def test_the_state_of_the_lifespan_is_left_alone() -> None:
    shared: dict[str, Any] = {}

    await Framed(answering()).ask(state=shared)

    assert shared == {}


async def test_requests_are_counted_by_route_template() -> None:
    framed = Framed(answering(status=404))

    await framed.ask(path="/things/1")
    await framed.ask(path="/things/2")

    labels = {"method": "GET", "route": "/things/{id}"}
    assert framed.sample("stoa_http_requests_total", **labels, status="404") == 2
    assert framed.sample("stoa_http_request_duration_seconds_count", **labels) == 2


async def test_clients_cannot_invent_labels() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})

    framed = Framed(app)
    await framed.ask(method="BREW", path="/coffee")

    found = framed.sample(
        "stoa_http_requests_total", method="OTHER", route="unmatched", status="404"
    )
    assert found == 1


async def test_a_crash_counts_as_a_500_and_goes_on() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("crash")

    framed = Framed(app)
    with pytest.raises(RuntimeError):
        await framed.ask()

    found = framed.sample("stoa_http_requests_total", method="GET", route="unmatched", status="500")
    assert found == 1


async def test_open_streams_are_counted_while_they_last() -> None:
    counts: list[float | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        stream = answering((b"content-type", b"text/event-stream; charset=utf-8"))
        await stream(scope, receive, send)
        await asyncio.sleep(0)
        counts.append(framed.sample("stoa_open_streams"))

    framed = Framed(app)
    await framed.ask()
    counts.append(framed.sample("stoa_open_streams"))

    assert counts == [1, 0]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
async def test_what_is_no_http_passes_untouched(kind: str) -> None:
    seen: list[Any] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        seen.append((scope, send))

    framed = Framed(app)
    scope = {"type": kind}
    await framed.frame(scope, framed._receive, framed._send)

    assert seen == [({"type": kind}, framed._send)]


async def test_what_breaks_an_answer_that_has_begun_is_on_record_by_the_requests_id() -> None:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        scope["path_template"] = "/things/{id}"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("half of it")

    framed = Framed(app)

    with pytest.raises(ValueError, match="half of it"):
        await framed.ask()

    [occurrence] = framed.errors.occurrences
    assert (str(occurrence.id), occurrence.route) == (FIRST_ID, "/things/{id}")
    assert (occurrence.code, occurrence.message) == ("INTERNAL_ERROR", "half of it")


async def test_what_needs_nothing_of_the_framework_is_asked_past_it() -> None:
    framed = Framed(answering(status=404), direct=answering(status=200))

    headers = await framed.ask(path="/direct")

    assert [message.get("status") for message in framed.sent] == [200, None]
    assert headers["x-request-id"] == FIRST_ID


async def test_requests_past_the_framework_are_counted_by_their_path() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    framed = Framed(answering(), direct=app)
    await framed.ask(path="/direct")

    labels = {"method": "GET", "route": "/direct", "status": "200"}
    assert framed.sample("stoa_http_requests_total", **labels) == 1


async def test_the_framework_knows_which_pages_may_ask() -> None:
    framed = Framed(answering(status=404), direct=answering(status=200))

    await framed.ask(path="/direct", headers=[(b"origin", b"https://a.example")])

    assert framed.sent[0]["status"] == 404
