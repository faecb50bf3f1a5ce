"""Which members of a JSON schema are schemas themselves."""

from collections.abc import Iterator
from typing import Any

# Their members are named by the schema's author: a property may be called like a keyword.
NAMING = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
# Their values are data, whatever they look like.
DATA = frozenset({"const", "enum", "default", "examples"})


def subschemas(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas directly inside, each with its place, such as ``properties/name``."""
    for keyword, value in schema.items():
        if keyword in DATA:
            continue
        if keyword in NAMING and isinstance(value, dict):
            inner = [(f"{keyword}/{name}", item) for name, item in value.items()]
        elif isinstance(value, list):
            inner = [(f"{keyword}/{index}", item) for index, item in enumerate(value)]
        else:
            inner = [(keyword, value)]
        yield from ((place, item) for place, item in inner if isinstance(item, dict))


def resolved(root: dict[str, Any], reference: str) -> dict[str, Any] | None:
    """What a reference into the same document points to."""
    if not reference.startswith("#"):
        return None
    value: Any = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None
