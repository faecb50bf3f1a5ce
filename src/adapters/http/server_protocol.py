"""The server's end of a connection, made safe to face strangers without a proxy in front."""

import asyncio
import re
from enum import Enum
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from adapters.http.errors import HeadTooLargeError, RequestTimedOutError
from adapters.http.kinds import kind_of
from adapters.http.problems import PROBLEM_TYPE, Occurrence, openai_error, problem, report
from application.shared.ports import IdGenerator
from domain.shared.errors import InvalidError, StoaError

MAX_HEAD_BYTES = 64 * 1024
# Requests that a client may send behind the one in progress before it is read no further.
MAX_WAITING = 16
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*(?=\r\n)", re.IGNORECASE)


class Reading(Enum):
    """What the client is to send next."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"


class ServerProtocol(HttpToolsProtocol):
    """uvicorn's, except that

    * a head has a limit of size and of time, and a body may not pause for ever;
    * bytes that are no HTTP are answered in the words of the API, with a request id;
    * the request in progress learns of the end of the connection even if the client has sent
      another one behind it;
    * an offer to speak HTTP/2 is ignored, as HTTP allows, instead of losing the body (Java's
      standard client makes it with every request).
    """

    head_s = 30.0
    body_pause_s = 60.0

    def __init__(self, ids: IdGenerator, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self._new_id = ids.new
        self._reading = Reading.HEAD
        self._begun = 0
        self._head_bytes = 0
        self._since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        running = self._running
        super().connection_lost(exc)
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()

    def data_received(self, data: bytes) -> None:
        if self._reading is not Reading.BODY and b"pgrade" in data:
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(b"", head + end[:2]) + end[2:] + rest
        begun, in_message = self._begun, self._begun and self._reading is not Reading.NOTHING
        super().data_received(data)
        if self.transport.is_closing() or self._reading is Reading.NOTHING:
            self._stop_watching()
            return
        if self._reading is Reading.BODY:
            self._since = self.loop.time()
        elif self._begun == begun + (not in_message):
            # Otherwise the head began somewhere inside this data, behind another request.
            self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(HeadTooLargeError(MAX_HEAD_BYTES))
        else:
            self._watch()

    def on_message_begin(self) -> None:
        self._reading = Reading.HEAD
        self._begun += 1
        self._head_bytes = 0
        self._since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._reading = Reading.BODY
        self._head_bytes = 0
        super().on_headers_complete()
        if 0 < len(self.pipeline) <= MAX_WAITING:
            # uvicorn stops reading here, and so would not see the client leave.
            self.flow.resume_reading()

    def on_message_complete(self) -> None:
        self._reading = Reading.NOTHING
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(InvalidError(msg))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline(), self._look)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _deadline(self) -> float:
        return self._since + (self.head_s if self._reading is Reading.HEAD else self.body_pause_s)

    def _look(self) -> None:
        self._timer = None
        if self.flow.read_paused:
            # It is we who do not read.
            self._since = self.loop.time()
        if self.loop.time() < self._deadline():
            self._watch()
        elif not self._begun:
            # A connection that was opened in advance; there is nothing to answer.
            self.transport.close()
        else:
            self._refuse(RequestTimedOutError(self._reading.value))

    def _refuse(self, error: StoaError) -> None:
        self._stop_watching()
        running = self._running
        if running is None or running.response_complete or not running.response_started:
            self.transport.write(self._answer(error))
        report(error)
        self.transport.close()

    def _answer(self, error: StoaError) -> bytes:
        request_id = self._new_id()
        shown = str(request_id)
        if self.url.startswith(b"/v1"):
            content_type, body = "application/json", openai_error(error).body
        else:
            occurrence = Occurrence(request_id=request_id, correlation_id=shown)
            content_type, body = PROBLEM_TYPE, msgspec.json.encode(problem(error, occurrence))
        kind = kind_of(type(error))
        lines = [
            f"HTTP/1.1 {kind.status} {kind.title}",
            f"content-type: {content_type}",
            f"content-length: {len(body)}",
            f"x-request-id: {shown}",
            f"x-correlation-id: {shown}",
            "x-content-type-options: nosniff",
            "connection: close",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
