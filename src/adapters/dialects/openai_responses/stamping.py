"""A response under Stoa's name for it, and with what the client asked in Stoa's place."""

from typing import Any

import msgspec

from adapters.dialects.fields import NOT_JSON
from application.inference.responses.ports import ResponseStamp, StampedResponse
from domain.inference.stored_response import Item, ResponseStatus, response_name

Members = dict[str, msgspec.Raw]

_members = msgspec.json.Decoder(Members)
_NULL = msgspec.Raw(b"null")
# Members of the request that an answer repeats and that the provider was not told, or in part.
_ASKED = ("instructions",)


class _Named(msgspec.Struct):
    id: str = ""


class _Kept(msgspec.Struct):
    """What is looked at of a response."""

    status: str = "completed"
    output: list[msgspec.Raw] = []


_kept = msgspec.json.Decoder(_Kept)
_named = msgspec.json.Decoder(_Named)


def read_members(body: bytes | msgspec.Raw) -> Members:
    return _members.decode(body)


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def overlay(stamp: ResponseStamp) -> Members:
    """What stands in every response of the stamp."""
    asked = read_members(stamp.body)
    return {
        "id": raw(response_name(stamp.id)),
        "created_at": raw(int(stamp.created_at.timestamp())),
        "previous_response_id": raw(stamp.previous),
        "store": raw(stamp.store),
        "model": asked.get("model", _NULL),
        "background": raw(False),  # a value of JSON
    } | {name: asked.get(name, _NULL) for name in _ASKED}


def stamped_response(response: Members, stamp: ResponseStamp) -> StampedResponse:
    """Raises what ``NOT_JSON`` names for what is no response."""
    written = response | overlay(stamp)
    body = msgspec.json.encode(written)
    kept = _kept.decode(body)
    completed = written.get("completed_at", _NULL)
    if kept.status == ResponseStatus.COMPLETED and bytes(completed) in (b"null", b"0"):
        written["completed_at"] = written["created_at"]
        body = msgspec.json.encode(written)
    return StampedResponse(
        body=body,
        document=body.decode(),
        status=status_of(kept.status),
        output=tuple(map(item_of, kept.output)),
    )


def status_of(word: str) -> ResponseStatus:
    try:
        return ResponseStatus(word)
    except ValueError:
        return ResponseStatus.INCOMPLETE


def item_of(item: msgspec.Raw) -> Item:
    json = bytes(item)
    try:
        return Item(id=_named.decode(json).id, json=json.decode())
    except NOT_JSON:
        return Item(id="", json=json.decode())
