"""Keeps credentials and the contents of prompts out of logs, audit rows and error pages."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

MASK = "[MASKED]"
OMITTED = "[OMITTED]"

_MAX_DEPTH = 6
_SECRET_WORDS = frozenset(
    {
        "authorization",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "pwd",
        "secret",
        "secrets",
        "token",
        "apikey",
        "auth",
    }
)
# How long something may take until there is one of a model's answer.
_NO_SECRETS = frozenset({"first_token"})
_SECRET_PAIRS = ("api_key", "access_key", "private_key", "secret_key", "signing_key")
_CONTENT_NAMES = frozenset(
    {"body", "completion", "content", "contents", "input", "messages", "prompt", "response", "text"}
)
_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
# Every repetition before a fixed mark is bounded, so that no text, of which clients may send much,
# takes more than one look at each of its characters.
_SECRET_TEXT = re.compile(
    r"""
    (?P<bearer>\bbearer\s+)[A-Za-z0-9._~+/=\-]{6,}
    | \b(?P<sk>sk-(?:stoa-)?)[A-Za-z0-9_\-]{8,}
    | (?P<login>\b[a-z][a-z0-9+.\-]{0,30}://[^\s:/@]*:)[^\s@/]+(?=@)
    | (?P<pair>\b\w{0,40}(?:password|passwd|secret|token|api[_\-]?key)["']?\s*[=:]\s*["']?)
      [^\s"'&,;)}\]]{3,}
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_secret_name(name: str) -> bool:
    """Whether a parameter, header or setting of that name holds a credential.

    Counts such as ``prompt_tokens`` and ids such as ``key_id`` do not.
    """
    words = _NOT_A_WORD.sub("_", _CAMEL_HUMP.sub("_", name).lower()).strip("_")
    if words in _NO_SECRETS:
        return False
    return not _SECRET_WORDS.isdisjoint(words.split("_")) or any(
        pair in words for pair in _SECRET_PAIRS
    )


def mask_text(text: str) -> str:
    """The text without bearer tokens, API keys, and passwords in URLs and assignments."""
    return _SECRET_TEXT.sub(_keep_the_label, text)


def mask(value: object, *, name: str = "") -> object:
    """A copy that is safe to write down; ``name`` is what the value is called."""
    return _mask(value, name, 0)


def _keep_the_label(match: re.Match[str]) -> str:
    label = next((group for group in match.groups() if group), "")
    return label + MASK


def _mask(value: object, name: str, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if is_secret_name(name):
        return MASK
    if isinstance(value, int | float):
        return value
    if name.lower() in _CONTENT_NAMES or isinstance(value, bytes | bytearray | memoryview):
        return OMITTED
    if isinstance(value, str):
        return mask_text(value)
    return _mask_nested(value, depth)


def _mask_nested(value: object, depth: int) -> object:
    if depth >= _MAX_DEPTH:
        return OMITTED
    if isinstance(value, Mapping):
        return {key: _mask(item, str(key), depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask(item, "", depth + 1) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _mask(getattr(value, f.name), f.name, depth + 1) for f in fields(value)}
    return mask_text(str(value))
