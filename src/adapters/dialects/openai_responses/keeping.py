"""Requests and answers of the Responses API, as far as they are kept. What is not looked at goes
through byte for byte."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from adapters.dialects.fields import NOT_JSON, Fields
from adapters.dialects.openai_responses.kept_stream import KeptStream
from adapters.dialects.openai_responses.stamping import (
    Members,
    raw,
    read_members,
    stamped_response,
)
from application.inference.responses.ports import (
    AskedResponse,
    ResponseFormat,
    ResponseStamp,
    ResponseStream,
    StampedResponse,
)
from domain.inference.conversation.request import JsonObject
from domain.inference.errors import ProviderFailedError
from domain.inference.stored_response import Item
from domain.models.served_model import Capability
from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import ResponseId

_REFERENCE = "item_reference"
_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "reasoning": "rs",
}
_NONE = msgspec.Raw(b"null")
# Quotes inside JSON strings are escaped, so no text can look like the type of a part.
_NEEDED_FOR = {
    '"input_image"': Capability.IMAGES,
    '"input_audio"': Capability.AUDIO,
    '"input_file"': Capability.FILES,
}
_SPOKEN = frozenset({"user", "system", "developer", "assistant"})


class OpenAIResponseFormat(ResponseFormat):
    def read(self, body: bytes, response_id: ResponseId) -> AskedResponse:
        fields = Fields.of(body)
        previous = fields.text("previous_response_id")
        given = _input_of(fields, is_needed=previous is None)
        items = [_named(item, response_id, index) for index, item in enumerate(given)]
        kept = {
            index - len(items): item for index, item in enumerate(items) if isinstance(item, Item)
        }
        return AskedResponse(
            store=fields.flag("store"),
            previous=previous,
            input=tuple(kept.values()),
            places=tuple(kept),
            references=tuple(item for item in items if isinstance(item, str)),
        )

    def for_provider(
        self, body: bytes, *, before: Sequence[Item], referred: Mapping[str, Item]
    ) -> bytes:
        members = _request_members(body)
        members.pop("previous_response_id", None)
        members["store"] = raw(False)  # a value of JSON
        refers = b'"item_reference"' in bytes(members.get("input", b""))
        if before or refers:
            own = [_resolved(item, referred) for item in _raw_items(members.get("input", _NONE))]
            given = bytes(members.get("input", b""))
            earlier = [
                msgspec.Raw(item.json.encode()) for item in before if not _is_cut(item, given)
            ]
            members["input"] = raw([*earlier, *own])
        return msgspec.json.encode(members)

    def sent(self, body: bytes, asked: AskedResponse) -> tuple[Item, ...]:
        items = _input_of(Fields.of(body), is_needed=False)
        return tuple(
            _listed(Fields(items[place]), item.id)
            for place, item in zip(asked.places, asked.input, strict=True)
        )

    def needs(self, items: Iterable[Item]) -> frozenset[Capability]:
        return frozenset(
            capability
            for item in items
            for part, capability in _NEEDED_FOR.items()
            if part in item.json
        )

    def stamped(self, body: bytes, stamp: ResponseStamp) -> StampedResponse:
        try:
            return stamped_response(read_members(body), stamp)
        except NOT_JSON as error:
            raise ProviderFailedError(
                "The provider answered with something that is no response."
            ) from error

    def stream(self, stamp: ResponseStamp, *, keeps: bool) -> ResponseStream:
        return KeptStream(stamp, keeps=keeps)


def _is_cut(item: Item, given: bytes) -> bool:
    """Whether it is a call that broke off before all of it was said, so that it could not be
    answered; no provider would go on from that."""
    if '"incomplete"' not in item.json or '"function_call"' not in item.json:
        return False
    members = msgspec.json.decode(item.json)
    is_call = members.get("type") == "function_call" and members.get("status") == "incomplete"
    return is_call and str(members.get("call_id")).encode() not in given


def _request_members(body: bytes) -> Members:
    try:
        return read_members(body)
    except NOT_JSON as error:
        raise InvalidError(f"We could not parse the JSON body of your request. ({error})") from None


def _input_of(fields: Fields, *, is_needed: bool) -> list[Any]:
    """Who goes on from a response need not say anything more."""
    given = fields.peek("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    items: list[Any] | None = fields.list("input")
    if items is None and is_needed:
        raise fields.missing("input")
    return items or []


def _named(item: object, response_id: ResponseId, index: int) -> Item | str:
    """An item as it is listed; or the id of the item that it only names."""
    path = f"input[{index}]"
    fields = Fields(item, path)
    item_id = fields.text("id")
    kind = fields.text("type") or ("message" if fields.has("role") else None)
    if kind is None:
        raise fields.missing("type")
    if kind == _REFERENCE and item_id is None:
        raise fields.missing("id")
    item_id = item_id or f"{_PREFIXES.get(kind, 'item')}_{response_id.hex}{index:04x}"
    return item_id if kind == _REFERENCE else _listed(Fields(item, path), item_id)


def _listed(fields: Fields, item_id: str) -> Item:
    whole = fields.rest()
    kind = fields.text("type") or "message"
    listed: JsonObject = {"type": kind} | whole | {"id": item_id}
    if kind == "message" and str(whole.get("role")) in _SPOKEN:
        listed = {"status": "completed"} | listed | {"content": _content(whole)}
    return Item(id=item_id, json=msgspec.json.encode(listed).decode())


def _content(message: JsonObject) -> object:
    content = message.get("content")
    if not isinstance(content, str):
        return content
    if message["role"] == "assistant":
        return [{"type": "output_text", "text": content, "annotations": []}]
    return [{"type": "input_text", "text": content}]


def _raw_items(value: msgspec.Raw) -> list[msgspec.Raw]:
    if bytes(value).lstrip().startswith(b'"'):
        return [raw({"type": "message", "role": "user", "content": value})]
    return msgspec.json.decode(value, type=list[msgspec.Raw] | None) or []


def _resolved(item: msgspec.Raw, referred: Mapping[str, Item]) -> msgspec.Raw:
    if b'"item_reference"' not in bytes(item):
        return item
    members = msgspec.json.decode(item)
    if members.get("type") != _REFERENCE:
        return item
    found = referred.get(members["id"])
    if found is None:
        message = f"Item with id '{members['id']}' not found."
        raise InvalidError(message, param="input", errors=(FieldError("input", message),))
    return msgspec.Raw(found.json.encode())
