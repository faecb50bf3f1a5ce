"""How much work a JSON schema may be."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

# With what is referred to in every place where it is. Two definitions that each name the next one
# twice make as many as that of a few lines.
MOST_PARTS = 4_000
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


class _Unfolding:
    """Counts the parts of a schema."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._schema = schema
        self._anchors = dict(_anchored(schema))
        self._left = MOST_PARTS

    def walk(self, node: object, within: frozenset[str]) -> None:
        """``within`` are the references that led here: what comes back to itself ends with the
        answer."""
        self._left -= 1
        if self._left < 0:
            raise _TooMuchError
        if isinstance(node, Mapping):
            for reference in _references(node) - within:
                self.walk(_found(self._schema, self._anchors, reference), within | {reference})
        for part in _parts(node):
            if isinstance(part, Mapping | list):
                self.walk(part, within)


def _parts(node: object) -> Iterable[object]:
    if isinstance(node, Mapping):
        return node.values()
    return node if isinstance(node, list) else ()


def _references(node: Mapping[str, object]) -> set[str]:
    found = (node.get(name) for name in _REFERENCES)
    return {one for one in found if isinstance(one, str) and not one.startswith(_KNOWN)}


def _anchored(node: object) -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping):
        yield from ((f"#{node[name]}", node) for name in _ANCHORS if name in node)
        for one in node.values():
            yield from _anchored(one)
    elif isinstance(node, list):
        for one in node:
            yield from _anchored(one)


def _found(schema: Any, anchors: Mapping[str, object], reference: str) -> object:
    """Raises ``LookupError``."""
    if reference in anchors:
        return anchors[reference]
    if reference != "#" and not reference.startswith("#/"):
        raise LookupError(reference)
    found = schema
    for part in unquote(reference).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) and name.isdigit() else found[name]
    return found
