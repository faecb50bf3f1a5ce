"""Requests with an ``Idempotency-Key``: what was answered once is answered so again.

Only answers that say of success are kept; after an error the same key may be tried again. A client
that goes away changes nothing: it cannot know what has become of its request, comes again, and gets
the answer that was made meanwhile. Who shows no credentials has no keys of his own, so there the
header says nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import msgspec
import structlog
from litestar.types import (
    HTTPReceiveMessage,
    HTTPRequestEvent,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
)

from adapters.dialects.multipart import boundary_of
from adapters.http.data_plane.body import content_type_of, read_body
from adapters.http.data_plane.hangup import HANGUP
from adapters.http.presented import NOTHING, SAFE_METHODS, Presented
from adapters.http.request_headers import request_headers
from application.identity.authenticate import Authenticate
from application.operations.idempotency.answer_once import LARGE_BYTES, AnswerOnce
from application.shared.actor import Actor
from domain.operations.idempotency import IdempotentRequest

log = structlog.get_logger()

# Where a request's state says that its answer did not come to its end.
BROKE_OFF = "broke_off"
MAX_KEPT_BYTES = 16 * 1024 * 1024
REPLAYED = (b"idempotent-replayed", b"true")

_HEADER = b"idempotency-key"
_FIRST_ERROR = 400

Inner = Callable[[HTTPScope, Receive, Send], Awaitable[None]]


class KeptAnswer(msgspec.Struct, array_like=True, frozen=True):
    """An answer as it left for the client, without the headers that every answer gets anew."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


_kept = msgspec.msgpack.Decoder(KeptAnswer)


def key_of(scope: Scope) -> str | None:
    """The idempotency key of a request that changes something."""
    key = request_headers(scope).get(_HEADER)
    if key is None or scope["method"] in SAFE_METHODS:  # type: ignore[typeddict-item]  # HTTP only
        return None
    return key.decode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """Stands around whatever answers a request."""

    authenticate: Authenticate
    once: AnswerOnce
    max_body_bytes: int

    async def answer(
        self,
        key: str,
        scope: HTTPScope,
        receive: Receive,
        send: Send,
        *,
        inner: Inner,
        shown: Presented,
    ) -> None:
        """Raises ``StoaError`` for what is refused before ``inner`` is asked, and what ``inner``
        raises."""
        if shown == NOTHING:
            await inner(scope, receive, send)
            return
        actor = await self.authenticate(shown.bearer, cookie=shown.cookie)
        body = await read_body(scope, receive, self.max_body_bytes)
        request = await _request(key, actor, scope, body)
        answer = await self.once.begin(request)
        if answer is not None:
            await _replay(_kept.decode(answer), send)
            return
        recorder = _Recorder(self.once, request, scope, send)
        try:
            await inner(_unheard(scope), _again(body), recorder.send)
        finally:
            if not recorder.is_over:
                await asyncio.shield(self.once.release(request))


class _Recorder:
    """Lets an answer pass, and keeps it before its end leaves."""

    def __init__(
        self, once: AnswerOnce, request: IdempotentRequest, scope: HTTPScope, send: Send
    ) -> None:
        self.is_over = False
        self._once = once
        self._request = request
        self._state = scope["state"]
        self._send = send
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._bytes = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [(bytes(name), bytes(value)) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            self._gather(message.get("body", b""))
            if not message.get("more_body"):
                await self._end()
        await self._send(message)

    def _gather(self, piece: bytes) -> None:
        self._bytes += len(piece)
        if self._bytes <= MAX_KEPT_BYTES:
            self._body += piece

    async def _end(self) -> None:
        # From here on it is over, whatever becomes of the connection; and whoever has heard of the
        # end may come again at once.
        self.is_over = True
        if self._status >= _FIRST_ERROR or self._state.get(BROKE_OFF):
            await asyncio.shield(self._once.release(self._request))
            return
        answer: bytes | None = None
        if self._bytes <= MAX_KEPT_BYTES:
            kept = KeptAnswer(self._status, self._headers, bytes(self._body))
            answer = msgspec.msgpack.encode(kept)
        await asyncio.shield(self._once.keep(self._request, answer))


async def _request(key: str, actor: Actor, scope: HTTPScope, body: bytes) -> IdempotentRequest:
    is_small = len(body) < LARGE_BYTES
    hashed = _hashed(scope, body) if is_small else await asyncio.to_thread(_hashed, scope, body)
    return IdempotentRequest(
        team_id=actor.team_id, principal_id=_principal(actor), key=key, fingerprint=hashed
    )


def _hashed(scope: HTTPScope, body: bytes) -> bytes:
    said = _said(body, content_type_of(scope))
    return _hash((scope["method"].encode(), scope["path"].encode(), scope["query_string"], said))


def _said(body: bytes, content_type: str) -> bytes:
    """A form without its boundary, which clients make up anew each time that they send it."""
    boundary = boundary_of(content_type)
    return body if boundary is None else body.replace(b"--" + boundary.encode(), b"--")


def _principal(actor: Actor) -> UUID:
    """Whose keys these are; an actor without any id is the team as a whole."""
    return actor.key_id or actor.user_id or actor.team_id


def _hash(parts: Iterable[bytes]) -> bytes:
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


def _unheard(scope: HTTPScope) -> HTTPScope:
    """The request of a client of whose leaving nobody is told."""
    extensions = scope.get("extensions") or {}
    heard = {name: what for name, what in extensions.items() if name != HANGUP}
    unheard = scope.copy()
    unheard["extensions"] = heard
    return unheard


def _again(body: bytes) -> Receive:
    """A body that was read already, and then nothing for ever."""
    is_read = False

    async def receive_again() -> HTTPReceiveMessage:
        nonlocal is_read
        if is_read:
            await asyncio.get_running_loop().create_future()
        is_read = True
        whole: HTTPRequestEvent = {"type": "http.request", "body": body, "more_body": False}
        return whole

    return receive_again


async def _replay(kept: KeptAnswer, send: Send) -> None:
    headers = [*kept.headers, REPLAYED]
    await send({"type": "http.response.start", "status": kept.status, "headers": headers})
    await send({"type": "http.response.body", "body": kept.body, "more_body": False})
