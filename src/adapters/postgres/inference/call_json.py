"""A ledger row as JSON: what the ledger's statements read, and the snapshot of a call at once."""

import re
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import msgspec

from domain.inference.call import Call

# An index entry must fit into a third of a page; no served model has a name that comes near.
MAX_MODEL_LENGTH = 256

_encode = msgspec.json.Encoder().encode
_NUL = b"\\u0000"
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_REPLACEMENT = rb"\1" + "\N{REPLACEMENT CHARACTER}".encode()


def encode_call(call: Call) -> bytes:
    """What Postgres cannot store in a text, NUL and lone surrogates, is replaced."""
    if len(call.model) > MAX_MODEL_LENGTH:
        call = replace(call, model=f"{call.model[: MAX_MODEL_LENGTH - 1]}…")
    try:
        row = _encode(call)
    except UnicodeEncodeError:
        row = _encode(_without_surrogates(call))
    return _ESCAPED_NUL.sub(_REPLACEMENT, row) if _NUL in row else row


def for_the_log(row: bytes) -> dict[str, Any]:
    """The whole row without contents, which are never logged."""
    decoded: dict[str, Any] = msgspec.json.decode(row)
    if decoded.pop("content", None) is not None:
        decoded["content"] = "[OMITTED]"
    return decoded


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):
        return value.encode(errors="replace").decode()
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _without_surrogates(getattr(value, f.name)) for f in fields(value)}
        return replace(value, **changed)
    return value
