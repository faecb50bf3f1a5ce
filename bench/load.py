"""A load generator in a process of its own, close to the wire, bounded in count and time.

A closed loop keeps ``--connections`` busy; an open loop (``--rate``) sends at fixed moments and
counts latency from the moment that was due, so that a slow server cannot hide its queue. The
target is an address of this machine. Prints one JSON object.

    python -m bench.load http://127.0.0.1:8000/v1/chat/completions --model mock --connections 32
"""

import argparse
import asyncio
import json
import os
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop

LOCAL = {"127.0.0.1", "localhost", "::1"}
MAX_CONNECTIONS = 1024
GRACE_S = 20.0
MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant that answers in one sentence."},
    {"role": "user", "content": "What is the capital of France, and since when?"},
]


@dataclass(slots=True)
class Tally:
    """What happened; times in seconds."""

    sent: int = 0
    succeeded: int = 0
    events: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    first_bytes: list[float] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """One connection with at most one request in flight."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._parser = httptools.HttpResponseParser(self)
        self._busy = False
        self._tail = b""
        self._first = 0.0
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, due: float) -> None:
        self._busy, self._first, self._due, self._tail = True, 0.0, due, b""
        self._load.tally.sent += 1
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        if not self._first:
            self._first = time.perf_counter()
        if self._load.stream:
            joined = self._tail[-1:] + body
            self._load.tally.events += joined.count(b"\n\n")
        self._tail = (self._tail + body)[-64:]

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        tally, status = self._load.tally, self._parser.get_status_code()
        ending = b"data: [DONE]" if self._load.stream else b"}"
        if status != 200:
            tally.errors[f"status {status}"] += 1
        elif ending not in self._tail:
            tally.errors["incomplete answer"] += 1
        else:
            tally.succeeded += 1
            tally.latencies.append(now - self._due)
            tally.first_bytes.append(self._first - self._due)
        self._busy = False
        self._load.finished(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._busy:
            self._load.tally.errors["connection lost"] += 1
        self._load.lost(self, was_busy=self._busy)

    def close(self) -> None:
        self._busy = False
        self._transport.abort()


class Load:
    def __init__(self, options: argparse.Namespace) -> None:
        address = urlsplit(options.url)
        if address.hostname not in LOCAL:
            raise SystemExit("The load goes to this machine only.")
        self.host, self.port = address.hostname, address.port or 80
        self.stream: bool = options.stream
        self.request = _request(options, address.path, f"{self.host}:{self.port}")
        self.tally = Tally()
        self._options = options
        self._idle: list[Connection] = []
        self._waiting: deque[float] = deque()
        self._pending = 0
        self._sending = True
        self._done = asyncio.Event()

    async def run(self) -> dict[str, object]:
        loop = asyncio.get_running_loop()
        count = self._options.connections
        opened = [
            loop.create_connection(lambda: Connection(self), self.host, self.port)
            for _ in range(count)
        ]
        self._idle = [protocol for _, protocol in await asyncio.gather(*opened)]
        everyone = list(self._idle)
        start, used = time.perf_counter(), time.process_time()
        self._deadline = start + self._options.seconds
        if self._options.rate:
            await self._send_at_fixed_times(start)
        else:
            for connection in [self._idle.pop() for _ in range(count)]:
                self._next(connection)
        self._sending = self._sending and not self._options.rate
        if self._pending:
            await self._wait_for_answers()
        elapsed = time.perf_counter() - start
        for connection in everyone:
            connection.close()
        return _summary(self.tally, elapsed, time.process_time() - used)

    def finished(self, connection: Connection) -> None:
        self._pending -= 1
        if self._waiting:
            self._pending += 1
            connection.send(self._waiting.popleft())
        elif self._options.rate:
            self._idle.append(connection)
        else:
            self._next(connection)
        if not self._pending:
            self._done.set()

    def lost(self, connection: Connection, *, was_busy: bool) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        if was_busy:
            self._pending -= 1
            if not self._pending:
                self._done.set()

    def _next(self, connection: Connection) -> None:
        now = time.perf_counter()
        if self._sending and now < self._deadline and self.tally.sent < self._options.max_requests:
            self._pending += 1
            connection.send(now)
        else:
            self._sending = False

    async def _send_at_fixed_times(self, start: float) -> None:
        options = self._options
        for number in range(min(int(options.rate * options.seconds), options.max_requests)):
            due = start + number / options.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if self._idle:
                self._pending += 1
                self._done.clear()
                self._idle.pop().send(due)
            else:
                self._waiting.append(due)

    async def _wait_for_answers(self) -> None:
        left = max(0.0, self._deadline - time.perf_counter()) + GRACE_S
        try:
            await asyncio.wait_for(self._done.wait(), left)
        except TimeoutError:
            self.tally.errors["no answer in time"] += self._pending


def _request(options: argparse.Namespace, path: str, host: str) -> bytes:
    body: dict[str, object] = {"model": options.model, "messages": MESSAGES, "temperature": 0.7}
    if options.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    encoded = json.dumps(body).encode()
    key = os.environ.get("BENCH_API_KEY", "none")
    more = "".join(f"{header}\r\n" for header in options.header)
    return (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\n{more}content-length: {len(encoded)}\r\n\r\n"
    ).encode() + encoded


def _summary(tally: Tally, elapsed: float, cpu: float) -> dict[str, object]:
    return {
        "sent": tally.sent,
        "succeeded": tally.succeeded,
        "errors": dict(tally.errors),
        "events": tally.events,
        "elapsed_s": elapsed,
        "cpu_s": cpu,
        "latency_ms": _quantiles(tally.latencies),
        "ttft_ms": _quantiles(tally.first_bytes),
    }


def _quantiles(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {f"p{q}": ordered[round(last * q / 100)] * 1000 for q in (50, 90, 99)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send chat completions to a local server.")
    parser.add_argument("url")
    parser.add_argument("--model", required=True)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0.0, help="requests per second; open loop")
    parser.add_argument("--header", action="append", default=[], help="one more, whole line")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--max-requests", type=int, default=200_000)
    options = parser.parse_args()
    if not 0 < options.connections <= MAX_CONNECTIONS or not 0 < options.seconds <= 600:
        parser.error(f"1 to {MAX_CONNECTIONS} connections and at most 600 seconds, please")
    return options


async def main() -> None:
    print(json.dumps(await Load(_options()).run()))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
