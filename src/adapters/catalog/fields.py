"""Typed reading of YAML mappings; whatever is wrong is noted with its line and key, not raised."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

import yaml

from adapters.catalog.reading import Reading
from adapters.catalog.variables import has_reference

Choice = TypeVar("Choice", bound=StrEnum)

_TAG = "tag:yaml.org,2002:"
_TEXT, _WHOLE, _REAL = f"{_TAG}str", f"{_TAG}int", f"{_TAG}float"
_PLAIN_TAGS = frozenset(_TAG + n for n in ("str", "int", "float", "bool", "null", "seq", "map"))


class Fields:
    """A mapping of the document. Each reader returns ``None`` for what is absent or wrong; ``end``
    notes the keys that nobody asked for."""

    def __init__(self, node: yaml.Node, reading: Reading, where: str, path: str = "") -> None:
        """``where`` is what messages call it, ``path`` stands before the names of its keys."""
        self.node = node
        self._path = path
        self._reading = reading
        self._where = where
        self._nodes: dict[str, yaml.Node] = {}
        self._keys: dict[str, yaml.Node] = {}
        self._asked: list[str] = []
        if not isinstance(node, yaml.MappingNode):
            reading.note(node, f"{where} must be a mapping")
            if path:
                reading.fields.append((path.removesuffix("."), "must be a mapping"))
            return
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if name in self._nodes:
                reading.note(key, f"{where}: '{name}' stands twice")
            self._nodes[name] = value
            self._keys[name] = key

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._nodes)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    def note(self, key: str, message: str, node: yaml.Node | None = None) -> None:
        """Note a problem with a key, at its own line or at that of ``node``."""
        place = node or self._keys.get(key, self.node)
        self._reading.note_key(place, self._where, f"{self._path}{key}", key, message)

    def has(self, key: str) -> bool:
        return key in self._nodes

    def allow(self, *keys: str) -> None:
        """Take keys as known without reading them."""
        self._asked += keys

    def text(self, key: str, *, required: bool = False) -> str | None:
        node = self._scalar(key, "text", required=required)
        if node is None:
            return None
        if node.tag != _TEXT:
            self.note(key, "must be text; put it in quotes")
            return None
        value = self._expanded(key, node)
        if value == "":
            self.note(key, "must not be empty")
            return None
        return value

    def whole(self, key: str) -> int | None:
        text = self._number_text(key, "a whole number", (_WHOLE,))
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or not 0 < int(text[:12]) <= 10**9:
            self.note(key, "must be a whole number above zero")
            return None
        return int(text)

    def decimal(self, key: str, *, required: bool = False) -> Decimal | None:
        text = self._number_text(key, "a number", (_WHOLE, _REAL, _TEXT), required=required)
        if text is None:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal(-1)
        if not value.is_finite() or value < 0:
            self.note(key, "must be a decimal number of zero or more")
            return None
        return value

    def choice(self, key: str, options: type[Choice], *, required: bool = False) -> Choice | None:
        value = self.text(key, required=required)
        if value is None:
            return None
        if value not in list(options):
            self.note(key, "must be one of " + ", ".join(options))
            return None
        return options(value)

    def choices(self, key: str, options: type[Choice]) -> tuple[Choice, ...] | None:
        """A list of them without repetition."""
        if not self.has(key):
            self.allow(key)
            return None
        found: list[Choice] = []
        for value, node in self.texts(key):
            if value not in list(options):
                self.note(key, "may list " + ", ".join(options), node)
            elif options(value) in found:
                self.note(key, f"repeats '{value}'", node)
            else:
                found.append(options(value))
        return tuple(found)

    def flag(self, key: str) -> bool | None:
        node = self._scalar(key, "true or false")
        if node is None:
            return None
        if node.tag != f"{_TAG}bool":
            self.note(key, "must be true or false")
            return None
        return bool(yaml.safe_load(node.value))

    def texts(self, key: str) -> list[tuple[str, yaml.Node]]:
        """A list of texts, each with its node."""
        found: list[tuple[str, yaml.Node]] = []
        for item in self.nodes(key):
            if isinstance(item, yaml.ScalarNode) and item.tag == _TEXT and item.value:
                value = self._expanded(key, item)
                found += [] if value is None else [(value, item)]
            else:
                self._reading.note(item, f"{self._where}: the entries of '{key}' must be text")
                self._reading.fields.append((f"{self._path}{key}", "must have entries of text"))
        return found

    def nodes(self, key: str, *, required: bool = False) -> list[yaml.Node]:
        """The entries of a list."""
        node = self._take(key, required=required)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.note(key, "must be a list")
            return []
        return list(node.value)

    def entries(self, key: str, *, required: bool = False) -> "list[Fields | str]":
        """A list of nested mappings, or of texts."""
        found: list[Fields | str] = []
        for position, node in enumerate(self.nodes(key, required=required)):
            if isinstance(node, yaml.ScalarNode) and node.tag == _TEXT and node.value:
                value = self._expanded(key, node)
                found += [] if value is None else [value]
                continue
            where, path = f"{self._where}: '{key}'", f"{self._path}{key}[{position}]."
            nested = Fields(node, self._reading, where, path)
            if nested.is_mapping:
                found.append(nested)
        return found

    def fields(self, key: str) -> "Fields | None":
        """A nested mapping."""
        node = self._take(key)
        if node is None:
            return None
        nested = Fields(node, self._reading, f"{self._where}: '{key}'", f"{self._path}{key}.")
        return nested if nested.is_mapping else None

    def text_pairs(self, key: str) -> dict[str, str]:
        """A nested mapping whose keys are free and whose values are texts."""
        nested = self.fields(key)
        if nested is None:
            return {}
        pairs = {name: nested.text(name) for name in nested.keys}
        return {name: value for name, value in pairs.items() if value is not None}

    def plain(self) -> dict[str, object]:
        """The whole mapping, whatever its shape, as plain values."""
        return {name: self._plain(name, node) for name, node in self._nodes.items()}

    def end(self, elsewhere: Mapping[str, str] | None = None) -> None:
        """Note every key that was not asked for. ``elsewhere`` says why a known key is wrong."""
        for name in self._nodes:
            if name in self._asked:
                continue
            reason = (elsewhere or {}).get(name)
            known = f"; known are {', '.join(self._asked)}" if self._asked else ""
            message = reason or f"is not known{known}"
            self.note(name, message)

    def _plain(self, key: str, node: yaml.Node) -> object:
        if node.tag not in _PLAIN_TAGS:
            self.note(key, "must be text, a number, true, false, null, a list or a mapping", node)
            return None
        if isinstance(node, yaml.MappingNode):
            return Fields(node, self._reading, f"{self._where}: '{key}'").plain()
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(key, item) for item in node.value]
        if node.tag == _TEXT:
            return self._expanded(key, node)
        value: object = yaml.safe_load(node.value)
        return value

    def _take(self, key: str, *, required: bool = False) -> yaml.Node | None:
        self._asked.append(key)
        node = self._nodes.get(key)
        if node is None and required and self.is_mapping:
            self.note(key, "is missing", self.node)
        return node

    def _scalar(self, key: str, what: str, *, required: bool = False) -> yaml.ScalarNode | None:
        node = self._take(key, required=required)
        if node is None or isinstance(node, yaml.ScalarNode):
            return node
        self.note(key, f"must be {what}")
        return None

    def _number_text(
        self, key: str, what: str, tags: tuple[str, ...], *, required: bool = False
    ) -> str | None:
        node = self._scalar(key, what, required=required)
        if node is None:
            return None
        if node.tag not in tags and not has_reference(node.value):
            self.note(key, f"must be {what}")
            return None
        value = self._expanded(key, node)
        return None if value is None else value.replace("_", "")

    def _expanded(self, key: str, node: yaml.Node) -> str | None:
        try:
            return self._reading.expanded(str(node.value))
        except ValueError as error:
            self.note(key, f"cannot be resolved: {error}")
            return None
