from typing import TypeVar

import msgspec

from application.shared.unset import UNSET, UnsetType

T = TypeVar("T")


def given(value: T | msgspec.UnsetType) -> T | UnsetType:
    """A member of a partial update in the words of the application."""
    return UNSET if value is msgspec.UNSET else value
