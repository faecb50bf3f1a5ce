"""Blocks of events, as streams of guarded texts take them apart and write them."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from domain.inference.errors import ProviderFailedError

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
DONE = b"[DONE]"


class Told(NamedTuple):
    """``members`` is ``None`` for what says nothing: comments, and the end of a chat."""

    raw: bytes
    members: dict[str, Any] | None
    is_done: bool = False


def told_in(block: bytes) -> Iterator[Told]:
    """Raises ``ProviderFailedError`` for data that nobody can look at."""
    for event in block.replace(b"\r\n", b"\n").split(b"\n\n"):
        if not event.strip():
            continue
        data = b"\n".join(
            line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")
        )
        raw = event + b"\n\n"
        if data == DONE:
            yield Told(raw, None, is_done=True)
        else:
            yield Told(raw, _members(data) if data else None)


def plain_event(members: dict[str, Any]) -> bytes:
    return b"data: " + _written(members) + b"\n\n"


def named_event(members: dict[str, Any]) -> bytes:
    return b"event: " + str(members.get("type")).encode() + b"\n" + plain_event(members)


def _members(data: bytes) -> dict[str, Any]:
    try:
        members = _decode(data)
    except (ValueError, RecursionError):
        members = _leniently(data)
    if not isinstance(members, dict):
        raise ProviderFailedError("The model's stream has an event that is no JSON object.")
    return members


def _leniently(data: bytes) -> object:
    """A character beyond the basic plane may come in two halves, in two events."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProviderFailedError("The model's stream has an event that is no JSON.") from error


def _written(members: dict[str, Any]) -> bytes:
    try:
        return _encode(members)
    except UnicodeEncodeError:
        return json.dumps(members, separators=(",", ":")).encode()
    except RecursionError as error:
        raise ProviderFailedError("The model's stream has an event that is no JSON.") from error
