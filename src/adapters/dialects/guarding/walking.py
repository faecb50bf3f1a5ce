"""Where JSON of any dialect has texts."""

from collections.abc import Mapping
from typing import Any

from application.inference.guarding.ports import OpenChannel

# Members whose strings are texts, in whatever they stand.
TEXTS = frozenset(
    {
        "cited_text",
        "code",
        "command",
        "content",
        "context",
        "documents",
        "input",
        "instructions",
        "logs",
        "output",
        "prompt",
        "queries",
        "query",
        "reasoning",
        "reasoning_content",
        "refusal",
        "revised_prompt",
        "stderr",
        "stdout",
        "suffix",
        "summary",
        "system",
        "text",
        "thinking",
        "title",
        "transcript",
        "word",
    }
)
# Strings that are JSON.
JSON_TEXTS = frozenset({"arguments", "partial_json"})
# Members in which all strings are texts, and numbers are looked at, too.
_FREE = frozenset({"metadata", "variables"})
# Whoever is named there may be named by an address.
_NAMING = frozenset({"user", "safety_identifier", "prompt_cache_key"})
# Nothing in there is a text but what describes the rest.
_SCHEMAS = frozenset(
    {"tools", "functions", "format", "response_format", "output_config", "output_format"}
)
_DESCRIBING = "description"
_OPAQUE = frozenset({"logprobs", "usage", "error"})
# What a response repeats of its request.
_REPEATED = frozenset(
    {"instructions", "metadata", "prompt", "user", "safety_identifier", *_SCHEMAS}
)
# Nothing else is done while a pattern is sought, so that it is sought in no more than this.
_PIECE = 16_384
_TOOL_USES = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})


class Walk:
    """Sends every text of a document through a channel of its own."""

    def __init__(self, opens: OpenChannel, *, is_answer: bool) -> None:
        self._opens = opens
        self._is_answer = is_answer
        self.has_changed = False

    def over(self, value: object, *, is_text: bool = False) -> Any:
        """The value with its texts as they may be shown."""
        if isinstance(value, str):
            return self._through(value, is_json=False) if is_text else value
        if isinstance(value, list):
            return [self.over(one, is_text=is_text) for one in value]
        if isinstance(value, dict):
            return self._object(value)
        return value

    def _object(self, members: dict[str, Any]) -> dict[str, Any]:
        repeated = _REPEATED if self._is_answer and members.get("object") == "response" else ()
        seen = {
            name: value if name in repeated else self._member(name, value, members)
            for name, value in members.items()
        }
        if seen.get("thinking") != members.get("thinking") and "signature" in seen:
            # It vouches for other words.
            seen["signature"] = ""
        if self._is_answer and self.has_changed and "logprobs" in seen:
            seen["logprobs"] = None
        return seen

    def _member(self, name: str, value: object, members: Mapping[str, Any]) -> Any:
        if name in _OPAQUE or (name == "thinking" and self._is_sealed(members)):
            return value
        if name in _SCHEMAS:
            return self._described(value)
        if name in JSON_TEXTS and isinstance(value, str):
            return self._through(value, is_json=True)
        kind = str(members.get("type"))
        is_free = name in _FREE or (name == "documents" and isinstance(value, list))
        if is_free or (name == "input" and kind in _TOOL_USES):
            return self._everything(value)
        is_text = name in TEXTS or name in _NAMING or (name == "data" and kind == "text")
        return self.over(value, is_text=is_text)

    def _is_sealed(self, members: Mapping[str, Any]) -> bool:
        """Whether its maker wrote and signed it, and takes no other."""
        return bool(members.get("signature")) and not self._is_answer

    def _described(self, value: object) -> Any:
        if isinstance(value, list):
            return [self._described(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._through(one, is_json=False)
            if name == _DESCRIBING and isinstance(one, str)
            else self._described(one)
            for name, one in value.items()
        }

    def _everything(self, value: object) -> Any:
        if isinstance(value, str):
            return self._through(value, is_json=False)
        if isinstance(value, list):
            return [self._everything(one) for one in value]
        if isinstance(value, dict):
            return {
                self._through(name, is_json=False): self._everything(one)
                for name, one in value.items()
            }
        if isinstance(value, int) and not isinstance(value, bool):
            shown = self._through(str(value), is_json=False)
            return value if shown == str(value) else shown
        return value

    def _through(self, text: str, *, is_json: bool) -> str:
        channel = self._opens(is_json)
        pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
        shown = "".join([*map(channel.feed, pieces), channel.end()])
        self.has_changed = self.has_changed or shown != text
        return shown
