"""How much work a JSON schema may be."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

# With what is referred to in every place where it is. Two definitions that each name the next one
# twice make as many as that of a few lines.
MOST_PARTS = 4_000
# Each may take as much memory as ``PATTERN_BYTES`` says.
MOST_PATTERNS, PATTERN_BYTES = 32, 1024 * 1024
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS = ("$anchor", "$dynamicAnchor")
_KNOWN = ("https://json-schema.org/", "http://json-schema.org/")


class _TooMuchError(Exception):
    pass


def size_problem(schema: Mapping[str, object]) -> str | None:
    """What is wrong with a schema that takes too much to be held against an answer. Whatever it
    refers to has to stand in itself, under a path or an anchor."""
    try:
        _Unfolding(schema).walk(schema, frozenset())
    except (_TooMuchError, RecursionError):
        return f"must not have more than {MOST_PARTS} parts, with all that it refers to"
    except (LookupError, TypeError):
        return "must refer to its own parts only, as '#/…' or '#anchor'"
    return None


def pattern_problem(schema: Mapping[str, object]) -> str | None:
    """What is wrong with the number of patterns, before any is made."""
    try:
        many = _patterns_in(schema) > MOST_PATTERNS
    except RecursionError:
        many = True
    return f"must not have more than {MOST_PATTERNS} patterns" if many else None


def size_of(schema: Mapping[str, object]) -> tuple[int, bool]:
    """How many parts and values it has with all that it refers to, and whether it comes back to
    itself.
    Raises ``LookupError`` for what ``size_problem`` objects to."""
    unfolding = _Unfolding(schema)
    try:
        unfolding.walk(schema, frozenset())
    except (_TooMuchError, RecursionError, TypeError) as error:
        raise LookupError(str(error)) from error
    return MOST_PARTS - unfolding.left + unfolding.values, unfolding.comes_back


class _Unfolding:
    """Counts the parts of a schema."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._schema = schema
        self._anchors = anchors_of(schema)
        self.left = MOST_PARTS
        self.values = 0
        self.comes_back = False

    def walk(self, node: object, within: frozenset[str]) -> None:
        """``within`` are the references that led here: what comes back to itself ends with the
        answer."""
        self.left -= 1
        if self.left < 0:
            raise _TooMuchError
        if isinstance(node, Mapping):
            references, values = references_of(node), node.get("enum")
            self.values += len(values) if isinstance(values, list) else 0
            self.comes_back = self.comes_back or bool(references & within)
            for reference in references - within:
                self.walk(found(self._schema, self._anchors, reference), within | {reference})
        for part in _parts(node):
            if isinstance(part, Mapping | list):
                self.walk(part, within)


def _parts(node: object) -> Iterable[object]:
    if isinstance(node, Mapping):
        return node.values()
    return node if isinstance(node, list) else ()


def _patterns_in(node: object) -> int:
    own = 0
    if isinstance(node, Mapping):
        by_name = node.get("patternProperties")
        own = ("pattern" in node) + (len(by_name) if isinstance(by_name, Mapping) else 0)
    return own + sum(_patterns_in(part) for part in _parts(node))


def references_of(node: Mapping[str, object]) -> set[str]:
    named = (node.get(name) for name in _REFERENCES)
    return {one for one in named if isinstance(one, str) and not one.startswith(_KNOWN)}


def anchors_of(schema: object) -> Mapping[str, object]:
    return dict(_anchored(schema))


def _anchored(node: object) -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping):
        yield from ((f"#{node[name]}", node) for name in _ANCHORS if name in node)
        for one in node.values():
            yield from _anchored(one)
    elif isinstance(node, list):
        for one in node:
            yield from _anchored(one)


def found(schema: Any, anchors: Mapping[str, object], reference: str) -> object:
    """Raises ``LookupError``."""
    if reference in anchors:
        return anchors[reference]
    if reference != "#" and not reference.startswith("#/"):
        raise LookupError(reference)
    place = schema
    for part in unquote(reference).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        place = place[int(name)] if isinstance(place, list) and name.isdigit() else place[name]
    return place
