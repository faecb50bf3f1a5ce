"""How much work it is to hold an answer against a schema, told before it is done.

The validator applies each part of a schema to each part of an answer once at most, however often
the schema comes back to itself; so those pairs are counted.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.dialects.guarding.schema_size import anchors_of, found, references_of

# Some 300 milliseconds of the validator, in which nobody else is served.
MOST_STEPS = 500_000
# What may be counted to find out.
MOST_PAIRS = 50_000
_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
_BY_NAME = ("dependentSchemas", "dependencies")
_OF_MEMBERS = ("additionalProperties", "unevaluatedProperties", "propertyNames")
_OF_ELEMENTS = ("items", "additionalItems", "contains", "unevaluatedItems")
_STEP_OF_TEXT = 16

Schema = Mapping[str, Any]


class TooMuchWorkError(Exception):
    pass


class SchemaWork:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._anchors = anchors_of(schema)
        self._parts: dict[int, _Part] = {}

    def steps(self, answer: object) -> int:
        """Raises ``TooMuchWorkError``."""
        steps = pairs = 0
        waiting: list[tuple[object, set[int]]] = [(answer, {self._known(self._schema)})]
        while waiting:
            value, applied = waiting.pop()
            ahead = list(applied)
            while ahead:
                part = self._parts[ahead.pop()]
                steps += part.steps(value)
                pairs += 1
                fresh = {self._known(one) for one in part.in_place} - applied
                applied |= fresh
                ahead += fresh
            for at, one in _members(value):
                below = self._below(applied, at)
                if below:
                    waiting.append((one, below))
                pairs += 1
            if pairs > MOST_PAIRS or steps > MOST_STEPS:
                raise TooMuchWorkError
        return steps

    def _known(self, schema: Schema) -> int:
        key = id(schema)
        if key not in self._parts:
            self._parts[key] = _Part(schema, self._referred(schema))
        return key

    def _referred(self, schema: Schema) -> Iterator[Schema]:
        for reference in references_of(schema):
            part = found(self._schema, self._anchors, reference)
            if isinstance(part, Mapping):
                yield part

    def _below(self, applied: set[int], at: str | int) -> set[int]:
        return {self._known(one) for key in applied for one in self._parts[key].below(at)}


class _Part:
    """An object of a schema: what it applies to the same part of an answer, and what to those in
    there, where more is assumed than may be true."""

    def __init__(self, schema: Schema, referred: Iterator[Schema]) -> None:
        self.in_place = [*referred, *_schemas(schema, _IN_PLACE)]
        for name in _BY_NAME:
            self.in_place += _values(schema.get(name))
        self._properties = _mapping(schema.get("properties"))
        by_pattern = _values(schema.get("patternProperties"))
        self._of_members = [*_schemas(schema, _OF_MEMBERS), *by_pattern]
        self._of_elements = _schemas(schema, _OF_ELEMENTS)
        first = schema.get("prefixItems", schema.get("items"))
        self._first = first if isinstance(first, list) else []
        if isinstance(schema.get("items"), list):
            self._of_elements = _schemas(schema, _OF_ELEMENTS[1:])
        self._own = 1 + len(schema) + len(_list(schema.get("enum")))
        self._own += len(str(schema.get("const", "")))
        self._per_member = 1 + len(by_pattern)
        self._compares_all = bool(schema.get("uniqueItems"))

    def steps(self, value: object) -> int:
        if isinstance(value, str):
            return self._own + len(value) // _STEP_OF_TEXT
        if isinstance(value, dict):
            return self._own + len(value) * self._per_member
        if isinstance(value, list) and self._compares_all:
            return self._own * (1 + len(value))
        return self._own

    def below(self, at: str | int) -> list[Schema]:
        if isinstance(at, int):
            first = self._first[at] if at < len(self._first) else None
            return [*self._of_elements, first] if isinstance(first, Mapping) else self._of_elements
        own = self._properties.get(at)
        return [*self._of_members, own] if isinstance(own, Mapping) else self._of_members


def _members(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _schemas(schema: Schema, names: tuple[str, ...]) -> list[Schema]:
    schemas: list[Schema] = []
    for name in names:
        part = schema.get(name)
        some = part if isinstance(part, list) else [part]
        schemas += [one for one in some if isinstance(one, Mapping)]
    return schemas


def _values(part: object) -> list[Schema]:
    return [one for one in _mapping(part).values() if isinstance(one, Mapping)]


def _mapping(part: object) -> Mapping[str, Any]:
    return part if isinstance(part, Mapping) else {}


def _list(part: object) -> list[Any]:
    return part if isinstance(part, list) else []
