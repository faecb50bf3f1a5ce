from asyncio import AbstractEventLoop, BaseTransport, Protocol, Transport
from collections.abc import Callable
from math import inf
from typing import cast

import httptools

from adapters.providers.transport.pooled_response import Exchange, PooledResponse
from adapters.providers.transport.transport import UpstreamRequest
from domain.inference.errors import (
    ProviderFailedError,
    ProviderTimedOutError,
    ProviderUnreachableError,
)
from domain.shared.errors import StoaError

MAX_HEAD_BYTES = 64 * 1024
_CONTINUE, _SWITCHING, _FIRST_FINAL = 100, 101, 200


class StaleConnectionError(ProviderUnreachableError):
    """A kept connection was closed by the other side before it answered with a single byte."""


class MalformedAnswerError(Exception):
    """Raised inside parser callbacks to make the parser stop."""


class Connection(Protocol, Exchange):
    """One HTTP/1.1 connection with at most one exchange on it.

    Only a connection whose last answer ended cleanly is given back (``on_free``); any failure,
    abort or byte that nobody asked for closes it (``on_lost``). ``deadline`` is read by the pool's
    sweeper, so that a request arms no timer of its own.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        on_free: Callable[["Connection"], None],
        on_lost: Callable[["Connection"], None],
    ) -> None:
        self.deadline = inf
        self.closed = False
        self.reused = False
        self.idle_since = 0.0
        self._loop = loop
        self._on_free = on_free
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: Transport
        self._response: PooledResponse | None = None
        self._head_bytes = 0
        # Since the last byte of a body: sizes of chunks, what comes with them, and trailers.
        self._frame_bytes = 0
        self._first_byte = False
        self._paused = False
        self._over = False
        self._keep = False
        self._between = inf
        self._latest = inf

    @property
    def busy(self) -> bool:
        return self._response is not None

    def start(self, request: UpstreamRequest, lines: bytes, *, latest: float) -> PooledResponse:
        """Write the request; ``latest`` is the moment at which the whole exchange must be over."""
        endpoint = request.endpoint
        # All else can be done while the provider reads; no call of the loop comes in between.
        self._transport.write(
            b"%b%bcontent-length: %d\r\n\r\n%b"
            % (endpoint.head, lines, len(request.body), request.body)
        )
        timeouts = endpoint.timeouts
        self._between = inf if timeouts.between_bytes is None else timeouts.between_bytes
        self._latest = latest
        first = timeouts.first_byte
        self.deadline = latest if first is None else min(latest, self._loop.time() + first)
        self._head_bytes = self._frame_bytes = 0
        self._first_byte = False
        self._over = False
        self._response = response = PooledResponse(endpoint, self)
        return response

    def pause(self) -> None:
        if not self._paused and not self.closed:
            self._paused = True
            self._transport.pause_reading()
            self.deadline = self._latest

    def resume(self) -> None:
        if self._paused and not self.closed:
            self._paused = False
            self._transport.resume_reading()
            self.deadline = min(self._latest, self._loop.time() + self._between)

    def end_within(self, seconds: float) -> None:
        self._latest = min(self._latest, self._loop.time() + seconds)
        self.deadline = min(self.deadline, self._latest)

    def abort(self) -> None:
        self._response = None
        if not self.closed:
            self.closed = True
            self._transport.abort()
            self._on_lost(self)

    def expire(self) -> None:
        """The deadline has passed."""
        peer = "" if self._response is None else self._response.endpoint.peer
        self._fail(
            ProviderTimedOutError(
                f"The provider '{peer}' did not answer in time.",
                is_asked=not self._transport.get_write_buffer_size(),
            )
        )

    def stop(self) -> None:
        """Abort, and tell the reader if there is one."""
        self._fail(ProviderUnreachableError("The connections were closed."))

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast("Transport", transport)

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None:
            self.abort()
            return
        self._first_byte = True
        in_head = not response.status_code
        self._frame_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._keep = False
            if not self._over:
                self._malformed(error)
        if in_head:
            self._head_bytes += len(data)
        is_too_long = self._head_bytes > MAX_HEAD_BYTES and in_head and _too_long(response)
        if is_too_long or (self._frame_bytes > MAX_HEAD_BYTES and not self._over):
            self._malformed(None)
        if self._over:
            self._finish()
        elif response.status_code and not self._paused:
            self.deadline = min(self._latest, self._loop.time() + self._between)

    def connection_lost(self, exc: Exception | None) -> None:
        response, self._response = self._response, None
        # The parser holds bound methods of this object: a cycle that would wait for the collector.
        del self._parser
        if not self.closed:
            self.closed = True
            self._on_lost(self)
        if response is None:
            return
        if exc is None and response.status_code and not response.delimited():
            response.end()
            return
        peer = response.endpoint.peer
        if self.reused and not self._first_byte:
            error: StoaError = StaleConnectionError(f"The provider '{peer}' closed a connection.")
        else:
            error = ProviderUnreachableError(f"The connection to the provider '{peer}' broke.")
        error.__cause__ = exc
        response.fail(error)

    def on_message_begin(self) -> None:
        if self._over:
            raise MalformedAnswerError

    def on_header(self, name: bytes, value: bytes) -> None:
        response = self._response
        if response is not None and not response.status_code:
            response.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        response = self._response
        if response is None:
            return
        if status >= _FIRST_FINAL:
            response.status_code = status
            response.wake()
        elif status < _CONTINUE or status == _SWITCHING:
            raise MalformedAnswerError
        else:
            response.headers.clear()

    def on_body(self, body: bytes) -> None:
        response = self._response
        self._frame_bytes = 0
        if response is not None:
            response.feed(body)

    def on_message_complete(self) -> None:
        response = self._response
        if response is not None and response.status_code:
            self._over = True
            self._keep = self._parser.should_keep_alive()

    def _finish(self) -> None:
        response, self._response = self._response, None
        self.deadline = inf
        if response is None:
            return
        self.resume()
        # An answer that overtook its request leaves bytes of that request to be sent.
        if self._keep and not self._transport.get_write_buffer_size():
            self.reused = True
            self._on_free(self)
        else:
            self.abort()
        response.end()

    def _malformed(self, error: Exception | None) -> None:
        response = self._response
        if response is None:
            self.abort()
            return
        peer = response.endpoint.peer
        failure = ProviderFailedError(f"The provider '{peer}' answered with malformed HTTP.")
        failure.__cause__ = error
        self._fail(failure)

    def _fail(self, error: StoaError) -> None:
        response = self._response
        self.abort()
        if response is not None:
            response.fail(error)


def _too_long(response: PooledResponse) -> bool:
    if not response.status_code:
        return True
    return sum(len(name) + len(value) for name, value in response.headers) > MAX_HEAD_BYTES
