"""Turns the text of a variable into the value of a setting, and says what may stand there."""

from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from entrypoints.settings import About


class NoHomeError(ValueError):
    """A path starts with ``~``, and there is no such home directory."""


def parse_value(kind: Any, raw: object, about: About) -> object:
    """Raises ``ValueError`` for what the type does not allow."""
    base, optional = _without_none(kind)
    if raw is None or (about.nothing is not None and raw == about.nothing):
        if not optional:
            raise ValueError
        return None
    value = raw
    plain = _plain(base)
    if get_origin(plain) is tuple and isinstance(raw, str):
        value = tuple(part.strip().rstrip("/") for part in raw.split(",") if part.strip())
    elif get_origin(plain) is Literal and isinstance(raw, str):
        value = raw.lower()
    elif plain is Path:
        try:
            return Path(str(raw)).expanduser().absolute()
        except RuntimeError as error:
            raise NoHomeError from error
    parsed: object = msgspec.convert(value, base, strict=False)
    if parsed != parsed:  # noqa: PLR0124 - not a number passes every bound
        raise ValueError
    return parsed


def describe_values(kind: Any, about: About) -> str:
    """What may stand in the variable, in words that follow "expected"."""
    base, optional = _without_none(kind)
    if about.expected is not None:
        return about.expected
    words = _words(base)
    return f"{words} or `{about.nothing}`" if optional and about.nothing else words


def _words(kind: Any) -> str:
    plain = _plain(kind)
    if get_origin(plain) is Literal:
        return "one of " + ", ".join(f"`{choice}`" for choice in get_args(plain))
    if plain is Path:
        return "a path"
    limits = _limits(kind)
    if plain is int:
        return "a whole number" + limits
    if plain is float:
        return "a number" + limits
    return "text" + limits


def _limits(kind: Any) -> str:
    marks = [m for m in getattr(kind, "__metadata__", ()) if isinstance(m, msgspec.Meta)]
    parts = []
    for mark in marks:
        if mark.gt is not None:
            parts.append(f"above {mark.gt}")
        if mark.ge is not None:
            parts.append(f"from {mark.ge}")
        if mark.le is not None:
            parts.append(f"up to {mark.le}")
        if mark.min_length is not None:
            parts.append(f"of at least {mark.min_length} characters")
    return "".join(f" {part}" for part in parts)


def _without_none(kind: Any) -> tuple[Any, bool]:
    """The type without ``None`` and without what is no constraint, and whether ``None`` was in."""
    plain = _plain(kind)
    if get_origin(plain) in {Union, UnionType}:
        (rest,) = (arm for arm in get_args(plain) if arm is not NoneType)
        return rest, True
    marks = tuple(m for m in getattr(kind, "__metadata__", ()) if isinstance(m, msgspec.Meta))
    return (Annotated[(plain, *marks)] if marks else plain), False


def _plain(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind
