from collections.abc import Callable

from adapters.dialects.fields import Fields
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage


def usage_in(value: object, read: Callable[[Fields], Usage | None]) -> Usage | None:
    """``None`` where it says nothing that can be understood: then it has to be counted."""
    if not isinstance(value, dict):
        return None
    try:
        return read(Fields(value))
    except (InvalidError, OverflowError):
        return None
