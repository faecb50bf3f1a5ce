"""Where the messages of Mistral's chats differ from OpenAI's."""

import re
from hashlib import sha256
from typing import Any

import msgspec

from adapters.providers.json_reading import NOT_JSON
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

Message = dict[str, Any]

_CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")
_ID_LENGTH = 9
# OpenAI's client sends back what it was given. None of it is anything that Mistral would read:
# thoughts of earlier turns are left out as OpenAI's API leaves them out.
_LEFT_OUT = frozenset(
    {"refusal", "audio", "annotations", "function_call", "reasoning_content", "reasoning"}
)
# A hint for the caches of other servers.
_CACHE = "cache_control"
_KEPT_IF_FULL = frozenset({"refusal", "audio", "function_call"})


def adapted_messages(messages: msgspec.Raw) -> msgspec.Raw:
    """Messages that need nothing are passed on byte for byte."""
    try:
        decoded = msgspec.json.decode(messages, type=list[Message])
    except NOT_JSON as error:
        raise InvalidError(f"'messages' cannot be read: {error}", param="messages") from error
    adapted = [_message(message, f"messages[{i}]") for i, message in enumerate(decoded)]
    return messages if adapted == decoded else msgspec.Raw(msgspec.json.encode(adapted))


def _message(message: Message, path: str) -> Message:
    changed = {name: value for name, value in message.items() if name != _CACHE}
    for name in _LEFT_OUT.intersection(changed):
        if changed.pop(name) and name in _KEPT_IF_FULL:
            raise _unsupported(f"{path}.{name}", f"have no '{name}' in a message")
    if changed.get("role") == "developer":
        changed["role"] = "system"
    if changed.get("role") != "tool" and changed.pop("name", None) is not None:
        raise _unsupported(f"{path}.name", "know no names of those who speak")
    _adapt_calls(changed)
    if isinstance(changed.get("content"), list):
        changed["content"] = [
            _part(part, f"{path}.content[{i}]") for i, part in enumerate(changed["content"])
        ]
    return changed


def _adapt_calls(message: Message) -> None:
    if isinstance(message.get("tool_call_id"), str):
        message["tool_call_id"] = _call_id(message["tool_call_id"])
    if isinstance(message.get("tool_calls"), list):
        message["tool_calls"] = [_tool_call(call) for call in message["tool_calls"]]
    elif message.get("tool_calls", ...) is None:
        del message["tool_calls"]


def _tool_call(call: Any) -> Any:
    if isinstance(call, dict) and isinstance(call.get("id"), str):
        return call | {"id": _call_id(call["id"])}
    return call


def _call_id(given: str) -> str:
    """Mistral takes nine letters and digits; the ids of others always become the same ones."""
    if _CALL_ID.fullmatch(given):
        return given
    return sha256(given.encode()).hexdigest()[:_ID_LENGTH]


def _part(part: Any, path: str) -> Any:
    if not isinstance(part, dict):
        return part
    part = {name: value for name, value in part.items() if name != _CACHE}
    if part.get("type") == "input_audio" and isinstance(part.get("input_audio"), dict):
        return {"type": "input_audio", "input_audio": part["input_audio"].get("data")}
    if part.get("type") == "file" and isinstance(part.get("file"), dict):
        return _file(part["file"], path)
    if part.get("type") == "refusal":
        raise _unsupported(path, "have no refusals among the parts of a message")
    return part


def _file(file: dict[str, Any], path: str) -> dict[str, Any]:
    if file.get("file_id") is not None:
        return {"type": "file", "file_id": file["file_id"]}
    document = {"type": "document_url", "document_url": file.get("file_data")}
    if document["document_url"] is None:
        raise InvalidError(f"'{path}.file' has neither data nor an id.", param=f"{path}.file")
    name = file.get("filename")
    return document if name is None else document | {"document_name": name}


def _unsupported(path: str, why: str) -> UnsupportedByModelError:
    return UnsupportedByModelError(f"'{path}': Mistral's models {why}.", param=path)
