from collections.abc import Callable

import msgspec

from adapters.dialects.counts import MOST
from adapters.dialects.fields import NOT_JSON, Fields
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage


def usage_of(raw: msgspec.Raw, read: Callable[[object], Usage | None]) -> Usage | None:
    """``None`` where it cannot be read; nobody has looked into it before."""
    try:
        return read(msgspec.json.decode(raw))
    except NOT_JSON:
        return None


def usage_in(value: object, read: Callable[[Fields], Usage | None]) -> Usage | None:
    """``None`` where it says nothing that can be understood: then it has to be counted."""
    if not isinstance(value, dict):
        return None
    try:
        usage = read(Fields(value))
    except (InvalidError, OverflowError):
        return None
    # All other numbers are parts of these.
    is_true = usage is not None and max(usage.prompt_tokens, usage.completion_tokens) <= MOST
    return usage if is_true else None
