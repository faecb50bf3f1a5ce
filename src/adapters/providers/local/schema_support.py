"""What of a JSON schema the local model's grammar does not enforce.

A schema that is not strict is a wish, and enforced as far as possible; a strict one is a promise,
so what could be broken is refused.
"""

from collections.abc import Iterator
from typing import Any

from adapters.providers.local.schema_patterns import enforceable
from adapters.providers.local.schema_walk import subschemas

_UNENFORCED = (
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "contains",
    "minContains",
    "maxContains",
    "unevaluatedItems",
    "unevaluatedProperties",
    "multipleOf",
)
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_FORMATS = frozenset({"date", "time", "date-time", "uuid"})
# The first of these that is there decides; the members beside it are not looked at.
_DECIDING = ("$ref", "anyOf", "oneOf")
_HARMLESS = frozenset(
    {
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
    }
)


def first_unenforced(schema: dict[str, Any], place: str = "#") -> str | None:
    """The keyword and the place of the first promise that cannot be kept."""
    keyword = next(_broken(schema), None)
    if keyword is not None:
        return f"'{keyword}' at {place}"
    for inner, subschema in subschemas(schema):
        if found := first_unenforced(subschema, f"{place}/{inner}"):
            return found
    return None


def _broken(schema: dict[str, Any]) -> Iterator[str]:
    yield from (keyword for keyword in _UNENFORCED if keyword in schema)
    yield from _beside_what_decides(schema)
    if schema.get("uniqueItems") is True:
        yield "uniqueItems"
    if schema.get("type") != "integer":
        yield from (keyword for keyword in _BOUNDS if keyword in schema)
    if isinstance(schema.get("format"), str) and schema["format"] not in _FORMATS:
        yield "format"
    if "prefixItems" in schema and "items" in schema:
        yield "items"
    required, known = schema.get("required"), schema.get("properties") or ()
    if isinstance(required, list) and any(str(name) not in known for name in required):
        yield "required"
    yield from _broken_in_strings(schema)


def _beside_what_decides(schema: dict[str, Any]) -> Iterator[str]:
    deciding = next((keyword for keyword in _DECIDING if keyword in schema), None)
    if deciding is not None:
        yield from (
            keyword for keyword in schema if keyword != deciding and keyword not in _HARMLESS
        )


def _broken_in_strings(schema: dict[str, Any]) -> Iterator[str]:
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and enforceable(pattern) is None:
        yield "pattern"
    if isinstance(pattern, str) or "format" in schema:
        yield from (keyword for keyword in ("minLength", "maxLength") if keyword in schema)
