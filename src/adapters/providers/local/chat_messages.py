"""Conversations as any chat template takes them: system, user and assistant, all in plain text."""

import json
from collections.abc import Mapping
from typing import Any

from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

Message = dict[str, str]

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
TEXT_PARTS = {"text": "text", "refusal": "refusal"}


def plain_messages(messages: object, instruction: str | None = None) -> list[Message]:
    """The conversation, its instruction (about tools) in the first system message.

    A call that the assistant made becomes the JSON that the tool grammar has it write. Results of
    tools become messages of the user, because few templates know a role for them; neighbours are
    put together, because many insist on turns.
    """
    if not isinstance(messages, list) or not messages:
        raise InvalidError(
            "Invalid 'messages': expected a non-empty array of messages.", param="messages"
        )
    names: dict[str, str] = {}
    plain: list[Message] = []
    after_result = False
    for index, message in enumerate(messages):
        role, content = _read(message, f"messages[{index}]", names)
        result = role == "tool"
        if result or (after_result and role == "user"):
            _add_turn(plain, content)
        else:
            plain.append({"role": role, "content": content})
        after_result = result or (after_result and role == "user")
    return _instructed(plain, instruction)


def _add_turn(plain: list[Message], content: str) -> None:
    if plain and plain[-1]["role"] == "user":
        plain[-1] = {"role": "user", "content": f"{plain[-1]['content']}\n\n{content}"}
    else:
        plain.append({"role": "user", "content": content})


def _instructed(plain: list[Message], instruction: str | None) -> list[Message]:
    if instruction is None:
        return plain
    if plain[0]["role"] == "system":
        first = {"role": "system", "content": f"{plain[0]['content']}\n\n{instruction}"}
        return [first, *plain[1:]]
    return [{"role": "system", "content": instruction}, *plain]


def _read(message: object, where: str, names: dict[str, str]) -> tuple[str, str]:
    if not isinstance(message, dict):
        raise InvalidError(f"Invalid type for '{where}': expected an object.", param=where)
    role = message.get("role")
    if role not in ROLES:
        raise InvalidError(
            f"Invalid value for '{where}.role': expected one of {', '.join(ROLES)}.",
            param=f"{where}.role",
        )
    calls = message.get("tool_calls") or []
    content = _text(message.get("content"), where, optional=bool(calls) or role == "assistant")
    if ROLES[role] == "tool":
        name = names.get(str(message.get("tool_call_id"))) or message.get("name")
        return "tool", f"Result of the tool {name}:\n{content}" if name else content
    if calls:
        content = "\n".join(text for text in (content, _calls(calls, where, names)) if text)
    return ROLES[role], content


def _text(content: object, where: str, *, optional: bool) -> str:
    if isinstance(content, str):
        return content
    if content is None and optional:
        return ""
    if isinstance(content, list):
        return "\n".join(_part(part, where) for part in content)
    raise InvalidError(
        f"Invalid type for '{where}.content': expected a string or an array of parts.",
        param=f"{where}.content",
    )


def _part(part: object, where: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str):
        raise InvalidError(
            f"Invalid '{where}.content': a part must be an object with a 'type'.",
            param=f"{where}.content",
        )
    if kind not in TEXT_PARTS:
        raise UnsupportedByModelError(
            f"Invalid '{where}': this model reads text only, not parts of type '{kind}'.",
            param="messages",
        )
    text = part.get(TEXT_PARTS[kind])
    if not isinstance(text, str):
        raise InvalidError(
            f"Invalid '{where}.content': a part of type '{kind}' needs '{TEXT_PARTS[kind]}'.",
            param=f"{where}.content",
        )
    return text


def _calls(calls: object, where: str, names: dict[str, str]) -> str:
    if not isinstance(calls, list):
        raise InvalidError(
            f"Invalid type for '{where}.tool_calls': expected an array.", param=where
        )
    written = [_call(call, f"{where}.tool_calls[{i}]", names) for i, call in enumerate(calls)]
    return written[0] if len(written) == 1 else f'{{"tool_calls": [{", ".join(written)}]}}'


def _call(call: object, where: str, names: dict[str, str]) -> str:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(function, Mapping):
        raise InvalidError(f"Invalid '{where}': expected a call of a function.", param=where)
    name = str(function.get("name"))
    names[str(call.get("id"))] = name
    return json.dumps(
        {"name": name, "arguments": _arguments(function.get("arguments"))}, ensure_ascii=False
    )


def _arguments(arguments: object) -> Any:
    try:
        return json.loads(str(arguments or "{}"))
    except (ValueError, RecursionError):
        return arguments
