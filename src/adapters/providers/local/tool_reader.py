"""From the JSON that the tool grammar lets a model write to OpenAI's deltas, while it is written.

The grammar fixes the shapes (see ``tools.ToolPlan``), so a few anchors are enough to follow along;
what follows an anchor is handed on piece by piece.
"""

import json
import re
from collections.abc import Callable
from typing import Any

Delta = dict[str, Any]

SPACE = r"[ \t\r\n]*"
STRING = r'"(?:[^"\\]|\\.)*"'
REPLY = re.compile(rf'{SPACE}\{{{SPACE}"reply"{SPACE}:{SPACE}(?=\S)')
SEVERAL = re.compile(rf'{SPACE}\{{{SPACE}"tool_calls"{SPACE}:{SPACE}\[')
CALL = re.compile(
    rf'[ \t\r\n,}}]*\{{{SPACE}"name"{SPACE}:{SPACE}(?P<name>{STRING}){SPACE},{SPACE}'
    rf'"arguments"{SPACE}:{SPACE}(?=\S)'
)
HEX = "[0-9a-fA-F]"
HIGH = rf"\\u[dD][89abAB]{HEX}{{2}}"
# Whole characters of a JSON string; a pair of surrogates is one, half of one waits for the rest.
CHARACTERS = re.compile(
    rf'(?:[^"\\]|\\[^u]|\\u(?![dD][89abAB]){HEX}{{4}}|{HIGH}\\u{HEX}{{4}}|{HIGH}(?=[^\\]|\\[^u]))*'
)


class JsonSpan:
    """Finds the end of one JSON value that comes in pieces."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, text: str) -> int | None:
        """How many characters of the text belong to the value if it ends there; values other
        than objects, arrays and strings end where a delimiter follows."""
        for position, character in enumerate(text):
            if self._in_string:
                if self._ends_string(character) and self._depth == 0:
                    return position + 1
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if self._depth <= 0:
                    return position + (self._depth == 0)
            elif character == '"':
                self._in_string = True
        return None

    def _ends_string(self, character: str) -> bool:
        if self._escaped:
            self._escaped = False
        elif character == "\\":
            self._escaped = True
        elif character == '"':
            self._in_string = False
            return True
        return False


class ToolReader:
    """The deltas of one choice; ``called`` is true once a call has begun."""

    def __init__(self, new_call_id: Callable[[], str]) -> None:
        self._new_call_id = new_call_id
        self._held = ""
        self._read: Callable[[], list[Delta] | None] = self._anchor
        self._span = JsonSpan()
        self._calls = 0

    @property
    def called(self) -> bool:
        return self._calls > 0

    def feed(self, text: str) -> list[Delta]:
        self._held += text
        deltas: list[Delta] = []
        while (more := self._read()) is not None:
            deltas += more
        return deltas

    def _anchor(self) -> list[Delta] | None:
        if match := SEVERAL.match(self._held):
            self._held = self._held[match.end() :]
            return []
        if match := CALL.match(self._held):
            self._held = self._held[match.end() :]
            self._span, self._read = JsonSpan(), self._arguments
            self._calls += 1
            function = {"name": json.loads(match["name"]), "arguments": ""}
            call = {"index": self._calls - 1, "id": self._new_call_id(), "type": "function"}
            return [{"tool_calls": [call | {"function": function}]}]
        if match := REPLY.match(self._held):
            self._held = self._held[match.end() :]
            self._span = JsonSpan()
            is_text = self._held.startswith('"')
            self._held = self._held[is_text:]
            self._read = self._text if is_text else self._value
            return []
        return None

    def _arguments(self) -> list[Delta] | None:
        piece = self._piece()
        if piece is None:
            return None
        return [{"tool_calls": [{"index": self._calls - 1, "function": {"arguments": piece}}]}]

    def _value(self) -> list[Delta] | None:
        piece = self._piece()
        return None if piece is None else [{"content": piece}]

    def _piece(self) -> str | None:
        if not self._held:
            return None
        end = self._span.feed(self._held)
        piece = self._held if end is None else self._held[:end]
        self._held = self._held[len(piece) :]
        if end is not None:
            self._read = self._anchor
        return piece

    def _text(self) -> list[Delta] | None:
        """The inside of a string, its escapes resolved."""
        match = CHARACTERS.match(self._held)
        text = match.group() if match else ""
        self._held = self._held[len(text) :]
        ended = self._held.startswith('"')
        if ended:
            self._held = self._held[1:]
            self._read = self._anchor
        if not text:
            return [] if ended else None
        plain: str = json.loads(f'"{text}"', strict=False)
        # A grammar of JSON lets half a surrogate pair pass, UTF-8 does not.
        return [{"content": plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")}]
