"""The bytes of a connection, put together to requests."""

import re
from enum import Enum
from typing import Any, Protocol
from urllib.parse import unquote

import httptools

from adapters.http.errors import HeadTooLargeError
from adapters.http.server.cycle import Cycle
from domain.shared.errors import InvalidError

MAX_HEAD_BYTES = 64 * 1024
# Of a body, before somebody asks for more.
MAX_BODY_AHEAD = 64 * 1024

_NOTED = frozenset({b"expect", b"host"})
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*(?=\r\n)", re.IGNORECASE)


class Reading(Enum):
    """What the client is to send next."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"


class Taker(Protocol):
    """Who takes the requests."""

    def take(self, scope: dict[str, Any], *, closes: bool, wants_continue: bool) -> Cycle:
        """A request whose body is to come. ``closes`` says that it is the connection's last."""
        ...

    def pause_reading(self) -> None: ...


class RequestReader:
    """Where ``reading`` stands, and ``begun``, the number of requests so far.

    The other methods are called by the parser.
    """

    def __init__(self, taker: Taker, connection: dict[str, Any]) -> None:
        """``connection`` is what the scopes of all its requests have in common."""
        self.reading = Reading.HEAD
        self.begun = 0
        self.url = b""
        self._taker = taker
        self._connection = connection
        self._parser = httptools.HttpRequestParser(self)
        # What comes behind a request that is said to be the last must not undo it.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._headers: list[tuple[bytes, bytes]] = []
        self._wants_continue = False
        self._hosts = 0
        self._head_bytes = 0
        self._is_much = False
        # Since the last piece of a body: what frames it, and trailers.
        self._beside_body = 0
        self._cycle: Cycle | None = None
        # Most clients ask for the same thing again and again.
        self._asked: tuple[bytes, bytes, str] = (b"", b"", "")
        self._scope: dict[str, Any] = {}

    def read(self, data: bytes) -> None:
        """Raises ``InvalidError`` and ``HeadTooLargeError``, after which nothing can be read."""
        if self.reading is not Reading.BODY:
            end = data.find(b"\r\n\r\n")
            # That a body says so means nothing, and to look through it takes its time.
            if data.find(b"pgrade", 0, len(data) if end < 0 else end) >= 0:
                data = _without_upgrade(data)
        self._is_much = len(data) > MAX_HEAD_BYTES
        self._beside_body += len(data)
        begins = self.reading is Reading.NOTHING or not self.begun
        first = self.begun + begins
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The method of a tunnel, which nothing is served for; the request itself has begun.
            return
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, HeadTooLargeError):
                raise error.__context__ from None
            raise InvalidError("Invalid HTTP request received.") from None
        self._check_length(data, first)

    @property
    def unfinished(self) -> Cycle | None:
        """The request whose body is still to come."""
        return self._cycle if self.reading is Reading.BODY else None

    def end(self) -> None:
        """The client is gone."""
        cycle, self._cycle = self._cycle, None
        if cycle is not None:
            cycle.lose()
        # They know this reader too, and would keep all of it until a search for garbage.
        del self._parser, self._taker

    def on_message_begin(self) -> None:
        self.reading = Reading.HEAD
        self.begun += 1
        self.url = b""
        self._headers = []
        self._wants_continue = False
        self._hosts = 0
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.reading is Reading.BODY:
            # A trailer. Nobody waits for it, and it must not pass for a header.
            return
        name = name.lower()
        if name in _NOTED:
            self._note(name, value)
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._check_head()
        self.reading = Reading.BODY
        self._head_bytes = self._beside_body = 0
        parser = self._parser
        version = parser.get_http_version()
        asked = (self.url, parser.get_method(), version)
        if asked != self._asked:
            self._scope, self._asked = {**self._connection, **_target(*asked)}, asked
        scope = self._scope.copy()
        scope["headers"] = self._headers
        self._cycle = self._taker.take(
            scope,
            closes=version == "1.0" or not parser.should_keep_alive(),
            wants_continue=self._wants_continue,
        )

    def on_body(self, body: bytes) -> None:
        cycle, self._beside_body = self._cycle, 0
        # What comes after the answer is of no use to anybody.
        if cycle is not None and not cycle.is_complete and cycle.feed(body) > MAX_BODY_AHEAD:
            self._taker.pause_reading()

    def on_message_complete(self) -> None:
        self.reading = Reading.NOTHING
        cycle = self._cycle
        if cycle is not None and not cycle.is_complete:
            cycle.more_body = False
            cycle.tell()

    def _note(self, name: bytes, value: bytes) -> None:
        if name == b"host":
            self._hosts += 1
        elif value.lower() == b"100-continue":
            self._wants_continue = True

    def _check_length(self, data: bytes, first: int) -> None:
        # Otherwise the head began somewhere inside this data, behind another request.
        if self.reading is Reading.HEAD and self.begun == first:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                raise HeadTooLargeError(MAX_HEAD_BYTES)
        elif self.reading is Reading.BODY and self._beside_body > MAX_HEAD_BYTES:
            raise HeadTooLargeError(MAX_HEAD_BYTES)

    def _check_head(self) -> None:
        """What is raised here ends the connection."""
        if self._hosts > 1:
            # Whoever stands in front may have looked at another one than we would.
            raise InvalidError("A request has one 'host'.")
        if self._is_much:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self._headers)
            if size > MAX_HEAD_BYTES:
                raise HeadTooLargeError(MAX_HEAD_BYTES)


def _target(url: bytes, method: bytes, version: str) -> dict[str, Any]:
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return {
        "http_version": version,
        "method": method.decode("ascii"),
        "path": unquote(path) if "%" in path else path,
        "raw_path": parsed.path,
        "query_string": parsed.query or b"",
    }


def _without_upgrade(data: bytes) -> bytes:
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"", head + end[:2]) + end[2:] + rest
