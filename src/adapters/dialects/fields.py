"""Reading JSON member by member, so that nothing in it goes unnoticed."""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from domain.inference.conversation.request import JsonObject
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import FieldError, InvalidError

# What decoding raises for bytes that are no JSON, or JSON nested too deeply to be taken for it.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Kind = TypeVar("_Kind")


class Fields:
    """An object whose members are taken one by one; those that nobody took are the ``rest``.

    Every reader returns ``None`` for a member that is absent or null and raises ``InvalidError``
    that names the member for one of another type.
    """

    __slots__ = ("_left", "_path")

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise _wrong(path, "an object")
        self._left: JsonObject = dict(value)
        self._path = path

    @classmethod
    def of(cls, body: bytes) -> "Fields":
        try:
            return cls(msgspec.json.decode(body))
        except NOT_JSON as error:
            raise InvalidError(f"The body is not valid JSON. ({error})") from None

    def path(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def has(self, name: str) -> bool:
        return self._left.get(name) is not None

    def raw(self, name: str) -> Any:
        return self._left.pop(name, None)

    def peek(self, name: str) -> Any:
        """The member without taking it."""
        return self._left.get(name)

    def text(self, name: str) -> str | None:
        return self._typed(name, str, "a string")

    def needed(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if value is None:
            raise self.missing(name)
        return value

    def flag(self, name: str) -> bool | None:
        return self._typed(name, bool, "true or false")

    def integer(self, name: str) -> int | None:
        value = self.number(name)
        if value is not None and value != int(value):
            raise _wrong(self.path(name), "an integer")
        return None if value is None else int(value)

    def number(self, name: str) -> float | None:
        value = self._left.pop(name, None)
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise _wrong(self.path(name), "a number")
        return value

    def mapping(self, name: str) -> JsonObject | None:
        return self._typed(name, dict, "an object")

    def object(self, name: str) -> "Fields | None":
        value = self.mapping(name)
        return None if value is None else Fields(value, self.path(name))

    def list(self, name: str) -> "list[Any] | None":
        return self._typed(name, list, "an array")

    def objects(self, name: str) -> "Iterator[Fields]":
        """The objects of an array; none where there is no array."""
        for index, item in enumerate(self.list(name) or ()):
            yield Fields(item, f"{self.path(name)}[{index}]")

    def texts(self, name: str) -> tuple[str, ...]:
        """One text or an array of them."""
        value = self.raw(name)
        found = [value] if isinstance(value, str) else value or []
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise _wrong(self.path(name), "a string or an array of strings")
        return tuple(found)

    def rest(self) -> JsonObject:
        """What nobody took and is not null."""
        return {name: value for name, value in self._left.items() if value is not None}

    def end(self, *ignored: str) -> None:
        """Raise ``UnsupportedByModelError`` for a member that nobody took and that says
        something; ``ignored`` are those that cannot change an answer."""
        for name, value in self._left.items():
            if name not in ignored and value not in (None, [], {}, ""):
                raise unsupported(self.path(name))

    def missing(self, name: str) -> InvalidError:
        return _invalid(self.path(name), f"Missing required parameter: '{self.path(name)}'.")

    def wrong(self, name: str, expected: str) -> InvalidError:
        return _wrong(self.path(name), expected)

    def _typed(self, name: str, kind: type[_Kind], expected: str) -> _Kind | None:
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, kind):
            raise _wrong(self.path(name), expected)
        return value


def unsupported(param: str, why: str = "") -> UnsupportedByModelError:
    """For what cannot be said to the provider of the model that was asked for."""
    reason = f": {why}" if why else ""
    return UnsupportedByModelError(
        f"The parameter '{param}' is not supported with this model{reason}.", param=param
    )


def _wrong(path: str, expected: str) -> InvalidError:
    if not path:
        return InvalidError(f"The body must be {expected}.")
    return _invalid(path, f"Invalid value for '{path}': expected {expected}.")


def _invalid(path: str, message: str) -> InvalidError:
    return InvalidError(message, param=path, errors=(FieldError(path, message),))
