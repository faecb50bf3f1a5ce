from collections.abc import Callable

from adapters.dialects.counts import MOST
from adapters.dialects.fields import Fields
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage


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
