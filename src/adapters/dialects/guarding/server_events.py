"""Blocks of events, as streams of guarded texts take them apart and write them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
DONE = b"[DONE]"


class Told(NamedTuple):
    """``members`` is ``None`` for what is no JSON object: comments, and the end of a chat."""

    raw: bytes
    members: dict[str, Any] | None
    is_done: bool = False


def told_in(block: bytes) -> Iterator[Told]:
    for event in block.replace(b"\r\n", b"\n").split(b"\n\n"):
        if not event.strip():
            continue
        data = b"\n".join(
            line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")
        )
        raw = event + b"\n\n"
        if data == DONE:
            yield Told(raw, None, is_done=True)
            continue
        try:
            members = _decode(data) if data else None
        except msgspec.DecodeError:
            members = None
        yield Told(raw, members if isinstance(members, dict) else None)


def plain_event(members: dict[str, Any]) -> bytes:
    return b"data: " + _encode(members) + b"\n\n"


def named_event(members: dict[str, Any]) -> bytes:
    return b"event: " + str(members.get("type")).encode() + b"\n" + plain_event(members)
