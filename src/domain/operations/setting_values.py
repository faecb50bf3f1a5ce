"""What may stand in a runtime setting: each type reads text (the environment, a terminal, the
database) and JSON, and writes the text that is stored."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

E = TypeVar("E", bound=StrEnum)
T_co = TypeVar("T_co", covariant=True)

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
MAX_TEXT_LENGTH = 4096
MAX_LIST_LENGTH = 100


class WrongValueError(ValueError):
    """The value is not of the type; the message follows "must be"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a type allows; ``None`` is what does not apply."""

    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    max_items: int | None = None
    choices: tuple[str, ...] | None = None


class ValueType(Protocol[T_co]):
    """The set of values that a setting may have."""

    @property
    def name(self) -> str:
        """``bool``, ``int``, ``text``, ``choice``, ``text_list`` or ``object``."""
        ...

    @property
    def expected(self) -> str:
        """In words that follow "must be"."""
        ...

    @property
    def bounds(self) -> Bounds: ...

    def parse(self, raw: object) -> T_co:
        """Read text or what JSON holds. Raises ``WrongValueError``."""
        ...


@dataclass(frozen=True, slots=True)
class BoolType(ValueType[bool]):
    name: str = "bool"
    expected: str = "true or false"
    bounds: Bounds = Bounds()

    def parse(self, raw: object) -> bool:
        if isinstance(raw, bool):
            return raw
        word = raw.strip().lower() if isinstance(raw, str) else ""
        if word not in _TRUE | _FALSE:
            raise WrongValueError(self.expected)
        return word in _TRUE


@dataclass(frozen=True, slots=True, kw_only=True)
class IntType(ValueType[int]):
    minimum: int
    maximum: int
    name: str = "int"

    @property
    def expected(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}"

    @property
    def bounds(self) -> Bounds:
        return Bounds(minimum=self.minimum, maximum=self.maximum)

    def parse(self, raw: object) -> int:
        try:
            number = int(raw) if isinstance(raw, str) else raw
        except ValueError:
            raise WrongValueError(self.expected) from None
        if not isinstance(number, int) or isinstance(number, bool):
            raise WrongValueError(self.expected)
        if not self.minimum <= number <= self.maximum:
            raise WrongValueError(self.expected)
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class TextType(ValueType[str]):
    """One line that is not blank. ``what`` describes it, ``pattern`` is matched as a whole."""

    what: str = "a text"
    pattern: str | None = None
    max_length: int = MAX_TEXT_LENGTH
    name: str = "text"

    @property
    def expected(self) -> str:
        return f"{self.what} of 1 to {self.max_length} characters"

    @property
    def bounds(self) -> Bounds:
        return Bounds(max_length=self.max_length)

    def parse(self, raw: object) -> str:
        text = raw.strip() if isinstance(raw, str) else ""
        if not 1 <= len(text) <= self.max_length or not text.isprintable():
            raise WrongValueError(self.expected)
        if self.pattern is not None and re.fullmatch(self.pattern, text) is None:
            raise WrongValueError(self.expected)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceType(ValueType[E], Generic[E]):
    choices: type[E]
    name: str = "choice"

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(f"'{choice}'" for choice in self.choices)

    @property
    def bounds(self) -> Bounds:
        return Bounds(choices=tuple(map(str, self.choices)))

    def parse(self, raw: object) -> E:
        word = raw.strip().lower() if isinstance(raw, str) else ""
        try:
            return self.choices(word)
        except ValueError:
            raise WrongValueError(self.expected) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextListType(ValueType[tuple[str, ...]]):
    """In JSON an array of strings; as text the same, or its items with commas between them."""

    item: TextType = TextType()
    max_items: int = MAX_LIST_LENGTH
    name: str = "text_list"

    @property
    def expected(self) -> str:
        return f"a list of up to {self.max_items} items, each {self.item.expected}"

    @property
    def bounds(self) -> Bounds:
        return Bounds(max_items=self.max_items, max_length=self.item.max_length)

    def parse(self, raw: object) -> tuple[str, ...]:
        items = _items(raw) if isinstance(raw, str) else raw
        if isinstance(items, str) or not isinstance(items, Sequence):
            raise WrongValueError(self.expected)
        if len(items) > self.max_items:
            raise WrongValueError(self.expected)
        try:
            return tuple(map(self.item.parse, items))
        except WrongValueError:
            raise WrongValueError(self.expected) from None


def text_of(value: object) -> str:
    """The text that the value's type reads the value from."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple) or is_dataclass(value):
        return json.dumps(json_of(value), ensure_ascii=False)
    return str(value)


def json_of(value: object) -> bool | int | str | list[str] | dict[str, object] | None:
    """The value as JSON holds it. Of an object only what was said."""
    if value is None or isinstance(value, bool | int):
        return value
    if is_dataclass(value):
        members = ((one.name, getattr(value, one.name), one.default) for one in fields(value))
        return {name: json_of(member) for name, member, usual in members if member != usual}
    return [str(item) for item in value] if isinstance(value, tuple) else str(value)


def _items(text: str) -> object:
    if not text.lstrip().startswith("["):
        return tuple(part for part in map(str.strip, text.split(",")) if part)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
