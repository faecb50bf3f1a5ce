"""A model server that costs next to nothing: OpenAI's wire format from a raw protocol.

The model's name says how it behaves: ``mock-d60-n50-g5000`` waits 60 ms before the first byte,
streams 50 chunks and leaves 5,000 µs between them; ``-b`` sends the whole stream at once, where
otherwise every event is one ``send`` of its own. ``GET /count`` tells how many calls arrived.

    python -m bench.mock_upstream PORT
"""

import asyncio
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import uvloop

MODEL = re.compile(rb'"model":\s*"([^"]*)"')
STREAM = re.compile(rb'"stream":\s*true')
LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
HEAD_END = b"\r\n\r\n"
ID = b'"id":"chatcmpl-0123456789abcdef0123456789","object":"chat.completion'
USAGE = (
    b'"usage":{"prompt_tokens":27,"completion_tokens":50,"total_tokens":77,'
    b'"prompt_tokens_details":{"cached_tokens":0},'
    b'"completion_tokens_details":{"reasoning_tokens":0}}'
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    delay_s: float
    chunks: int
    gap_s: float
    burst: bool


@cache
def behaviour_of(model: bytes) -> Behaviour:
    numbers = {letter: int(number) for letter, number in re.findall(rb"-([dng])(\d+)", model)}
    return Behaviour(
        delay_s=numbers.get(b"d", 0) / 1e3,
        chunks=numbers.get(b"n", 50),
        gap_s=numbers.get(b"g", 0) / 1e6,
        burst=model.endswith(b"-b"),
    )


@cache
def whole_answer(model: bytes) -> bytes:
    words = b"Paris is the capital of France. " * 7
    body = (
        b"{" + ID + b'","created":1700000000,"model":"' + model + b'","choices":[{"index":0,'
        b'"message":{"role":"assistant","content":"' + words + b'","refusal":null},'
        b'"logprobs":null,"finish_reason":"stop"}],' + USAGE + b',"system_fingerprint":"fp_mock"}'
    )
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_mock\r\n"
        b"content-length: " + str(len(body)).encode() + HEAD_END + body
    )


@cache
def stream_parts(model: bytes) -> tuple[bytes, ...]:
    """The head with the first event, the other events, and the end, each as it goes out."""
    begin = b"data: {" + ID + b'.chunk","created":1700000000,"model":"' + model + b'","choices":['
    delta = b'{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],'
    first = b'{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],'
    stop = b'{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],'
    rest = b'"usage":null}\n\n'
    events = [
        begin + first + rest,
        *(begin + delta + rest for _ in range(behaviour_of(model).chunks)),
        begin + stop + rest,
        begin + b"]," + USAGE + b"}\n\n",
        b"data: [DONE]\n\n",
    ]
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req_mock\r\n"
        b"transfer-encoding: chunked" + HEAD_END
    )
    framed = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
    return (head + framed[0], *framed[1:-1], framed[-1] + b"0\r\n\r\n")


class Upstream(asyncio.Protocol):
    """One client. Clients wait for an answer before they ask again, so there is no pipelining."""

    arrived = 0

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._descriptor: int = transport.get_extra_info("socket").fileno()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(HEAD_END)
        if end < 0:
            return
        length = LENGTH.search(self._buffer, 0, end)
        if len(self._buffer) < end + 4 + (int(length[1]) if length else 0):
            return
        request, self._buffer = self._buffer, b""
        if request.startswith(b"GET"):
            self._tell_count()
            return
        Upstream.arrived += 1
        found = MODEL.search(request, end)
        model = found[1] if found else b"mock"
        streamed = STREAM.search(request, end) is not None
        behaviour = behaviour_of(model)
        if behaviour.delay_s:
            answer = self._stream if streamed else self._answer
            self._timer = self._loop.call_later(behaviour.delay_s, answer, model)
        elif streamed:
            self._stream(model)
        else:
            self._answer(model)

    def _answer(self, model: bytes) -> None:
        self._transport.write(whole_answer(model))

    def _stream(self, model: bytes) -> None:
        parts, behaviour = stream_parts(model), behaviour_of(model)
        if behaviour.burst:
            self._transport.write(b"".join(parts))
        elif behaviour.gap_s:
            self._drip(parts, 0, behaviour.gap_s)
        else:
            for part in parts:
                self._send_now(part)

    def _drip(self, parts: Sequence[bytes], position: int, gap_s: float) -> None:
        self._send_now(parts[position])
        if position + 1 < len(parts):
            self._timer = self._loop.call_later(gap_s, self._drip, parts, position + 1, gap_s)

    def _send_now(self, data: bytes) -> None:
        """One ``send`` for one event: uvloop would join the writes of a turn of its loop."""
        if self._transport.is_closing():
            return
        sent = 0
        if not self._transport.get_write_buffer_size():
            try:
                sent = os.write(self._descriptor, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._transport.abort()
                return
        if sent < len(data):
            self._transport.write(data[sent:])

    def _tell_count(self) -> None:
        body = str(Upstream.arrived).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d" % len(body)
        self._transport.write(head + HEAD_END + body)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(loop), "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
