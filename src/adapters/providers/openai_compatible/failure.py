"""What a provider says when it refuses or fails, in the shapes that servers use for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.providers.openai_compatible.wire import NOT_JSON

_TERM = re.compile(r"[\w.\-]{1,64}")
_TEXT_LIMIT = 300
_MESSAGE_LIMIT = 2000
_MIN_STATUS, _MAX_STATUS = 400, 599
_STATUS_BY_WORD = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "notfounderror": 404,
    "model_not_found": 404,
    "timeout_error": 504,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "overloaded_error": 503,
    "overloaded": 503,
    "unavailable_error": 503,
    "service_unavailable": 503,
}
_QUOTA_WORDS = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_CONTEXT_WORDS = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_CONTEXT_TEXTS = (
    "maximum context length",
    "maximum model length",
    "available context size",
    "exceeds the context",
    "exceeds context",
    "exceed the context",
    "greater than the context length",
    "context the overflows",
    "context length of only",
    "context window",
    "prompt is too long",
)


@dataclass(frozen=True, slots=True)
class Failure:
    message: str
    type: str | None = None
    param: str | None = None
    code: str | None = None

    @classmethod
    def parse(cls, body: bytes) -> "Failure":
        """Never fails: a body of no known shape is taken as text, shortened."""
        try:
            said = msgspec.json.decode(body)
        except NOT_JSON:
            return cls(_plain(body.decode("utf-8", "replace"), _TEXT_LIMIT))
        if not isinstance(said, dict):
            return cls(_plain(str(said), _TEXT_LIMIT))
        error: Any = said.get("error") or said
        if not isinstance(error, dict):
            return cls(_plain(str(error), _MESSAGE_LIMIT))
        message = error.get("message") or error.get("detail") or ""
        return cls(
            _plain(message if isinstance(message, str) else str(message), _MESSAGE_LIMIT),
            _word(error.get("type")),
            _word(error.get("param")),
            _word(error.get("code")),
        )

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word.casefold() for word in (self.code, self.type) if word)

    @property
    def terms(self) -> tuple[str, ...]:
        """The type and the code, where they are terms and no sentences."""
        return tuple(word for word in (self.type, self.code) if word and _TERM.fullmatch(word))

    @property
    def status(self) -> int:
        """The status that the body speaks of, for errors that came with a 200; 500 if of none."""
        for word in self.words:
            if word.isdecimal() and _MIN_STATUS <= int(word) <= _MAX_STATUS:
                return int(word)
        known: Mapping[str, int] = _STATUS_BY_WORD
        return next((known[word] for word in self.words if word in known), 500)

    @property
    def is_context_length(self) -> bool:
        text = self.message.casefold()
        return not _CONTEXT_WORDS.isdisjoint(self.words) or any(
            known in text for known in _CONTEXT_TEXTS
        )

    @property
    def is_out_of_quota(self) -> bool:
        return any(
            word in ("insufficient_quota", "billing_hard_limit_reached") for word in self.words
        )


def _plain(text: str, limit: int) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def _word(value: object) -> str | None:
    return None if value is None or isinstance(value, dict | list) else _plain(str(value), 200)
