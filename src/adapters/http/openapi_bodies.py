"""What the document says of bodies that are read strictly."""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]

_OURS = "/api/v1/"
_REF = "#/components/schemas/"


def closed(paths: Document, schemas: Document) -> Document:
    """The schemas, with those closed that describe what Stoa's own API reads: it refuses members
    that it does not know."""
    found: set[str] = set()
    left = list(_refs([_body(operation) for operation in _operations(paths)]))
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _refs(schemas[name])
    return {
        name: {**schema, "additionalProperties": False} if _is_open(schema, name, found) else schema
        for name, schema in schemas.items()
    }


def _operations(paths: Document) -> Iterator[Document]:
    for path, item in paths.items():
        if path.startswith(_OURS):
            yield from item.values()


def _body(operation: Document) -> Any:
    return operation.get("requestBody", {})


def _is_open(schema: Document, name: str, found: set[str]) -> bool:
    return name in found and "properties" in schema and "additionalProperties" not in schema


def _refs(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith(_REF):
            yield target.removeprefix(_REF)
        for inner in value.values():
            yield from _refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _refs(inner)
