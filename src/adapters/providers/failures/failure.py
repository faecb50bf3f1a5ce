"""What a provider says when it refuses or fails, in the shapes that servers use for it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_TERM = re.compile(r"[\w.\-]{1,64}")
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
    "exceed context limit",
    "greater than the context length",
    "context the overflows",
    "context length of only",
    "context window",
    "prompt is too long",
    "input is too long",
    "exceeds the maximum number of tokens",
)


@dataclass(frozen=True, slots=True)
class Failure:
    """``said_status`` is the HTTP status that the body itself names, where its format has that, and
    ``retry_after`` the seconds that it asks to wait. ``is_of_credentials`` where it says that the
    gateway's credentials are wrong, whatever its status."""

    message: str
    type: str | None = None
    param: str | None = None
    code: str | None = None
    said_status: int | None = None
    retry_after: float | None = None
    is_of_credentials: bool = False

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
        if self.said_status is not None:
            return self.said_status
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
        return not _QUOTA_WORDS.isdisjoint(self.words)


# Reads the body of a failure in one wire format; never fails itself.
FailureParser = Callable[[bytes], Failure]


def plain(text: str, limit: int) -> str:
    """On one line, shortened."""
    shown = " ".join(text.split())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def word(value: object) -> str | None:
    """A type, a parameter or a code; ``None`` where it is none."""
    return None if value is None or isinstance(value, dict | list) else plain(str(value), 200)
