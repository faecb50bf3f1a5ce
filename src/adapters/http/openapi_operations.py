"""Operations that the framework cannot see, declared so that they stand in the document too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JsonSchema = dict[str, Any]
Dialect = Literal["anthropic", "openai", "problem"]

# What opens the door: either of the two.
SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraOperation:
    """One operation of a plain ASGI handler.

    ``request`` and ``response`` are msgspec types or JSON schemas; ``events`` is the schema of the
    data of one server-sent event, where the operation can stream, ``other_responses`` those of
    answers of other content types. A ``response`` of ``None`` is never JSON. ``errors`` are the
    statuses that it answers besides, in the dialect of its API.
    """

    method: Literal["get", "post", "patch", "put", "delete"]
    path: str
    operation_id: str
    summary: str
    description: str = ""
    tag: str = "inference"
    request: type | JsonSchema | None = None
    request_type: str = "application/json"
    response: type | JsonSchema | None = field(default_factory=lambda: {"type": "object"})
    other_responses: Mapping[str, JsonSchema] = field(default_factory=dict)
    response_description: str = "The answer."
    events: type | JsonSchema | None = None
    parameters: tuple[JsonSchema, ...] = ()
    errors: tuple[int, ...] = ()
    dialect: Dialect = "openai"
    secured: bool = True


def path_parameter(name: str, description: str) -> JsonSchema:
    """A parameter of the path, for ``ExtraOperation.parameters``."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }
