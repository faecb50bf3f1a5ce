"""Allow-lists of model names, with ``*`` for any run of characters."""

from fnmatch import fnmatchcase
from unicodedata import category

from domain.shared.errors import FieldError, InvalidError

ANY_MODEL = ("*",)
MAX_PATTERNS = 100
MAX_PATTERN_LENGTH = 200


def allows(patterns: tuple[str, ...], name: str) -> bool:
    """Whether one of the patterns covers the model name; an empty list covers nothing."""
    return patterns == ANY_MODEL or any(fnmatchcase(name, pattern) for pattern in patterns)


def check_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns, or raise ``InvalidError`` naming ``allowed_models``."""
    if len(patterns) > MAX_PATTERNS:
        raise _wrong(f"must have at most {MAX_PATTERNS} entries")
    for pattern in patterns:
        if not 1 <= len(pattern) <= MAX_PATTERN_LENGTH:
            raise _wrong(f"entries must have 1 to {MAX_PATTERN_LENGTH} characters")
        if any(mark in pattern for mark in "[]?"):
            raise _wrong("entries may use '*' as the only wildcard")
        # No name of a model has any, and Postgres cannot store all of them.
        if any(mark.isspace() or category(mark) == "Cc" for mark in pattern):
            raise _wrong("entries must not contain spaces or control characters")
    return patterns


def _wrong(message: str) -> InvalidError:
    return InvalidError(
        f"'allowed_models' {message}.",
        param="allowed_models",
        errors=(FieldError("allowed_models", message),),
    )
