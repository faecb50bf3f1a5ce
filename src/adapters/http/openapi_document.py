"""Completing the document that the framework makes: errors, and operations that it cannot see."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from adapters.http.kinds import KINDS
from adapters.http.openapi_bodies import closed
from adapters.http.openapi_operations import SECURITY, Dialect, ExtraOperation, JsonSchema
from adapters.http.openapi_schemas import (
    ERROR_SCHEMAS,
    MEDIA_TYPE_OF_DIALECT,
    SCHEMA_OF_DIALECT,
    TITLES_OF_ANTHROPIC,
)

Document = dict[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_REF = "#/components/schemas/{name}"
_TITLES = {kind.status: kind.title for kind in reversed(KINDS.values())}

# The framework describes an error of its own, which never leaves this server.
_FRAMEWORK_ERROR = "400"
_ALWAYS = (400, 500)
_SECURED = (401, 403, 429, 503)
_UNSAFE = (409, 429)
_WITH_BODY = (409, 413, 415)

# What is open to everybody still refuses some.
_DOORS = ("/api/v1/setup", "/api/v1/auth/", "/api/v1/invitations/")

# Their bodies or queries name something that may be missing.
_NAMING = (
    "/api/v1/prices/set",
    "/api/v1/auth/login",
    "/api/v1/auth/logout",
    "/api/v1/auth/team",
    "/api/v1/auth/token",
    "/api/v1/costs/predict",
)

# What some answer with besides, depending on what they are asked.
_TEXT = {"schema": {"type": "string"}}
_BESIDES = {
    "/problems": {"text/html": _TEXT},
    "/problems/{slug}": {"text/html": _TEXT},
    "/api/v1/audit_logs/export": {"application/jsonl": _TEXT},
}


class DocumentCompletion:
    def __init__(self, extra_operations: Sequence[ExtraOperation]) -> None:
        self._extra = tuple(extra_operations)

    def complete(self, document: Document) -> Document:
        """The whole document, as a new one."""
        paths = {path: dict(item) for path, item in document.get("paths", {}).items()}
        for path, method, operation in _operations(paths):
            paths[path][method] = _with_problems(path, method, operation)
        types = [kind for extra in self._extra for kind in _types_of(extra)]
        refs, schemas = msgspec.json.schema_components(types, ref_template=_REF)
        by_type = dict(zip(types, refs, strict=True))
        for extra in self._extra:
            paths.setdefault(extra.path, {})[extra.method] = _extra_operation(extra, by_type)
        components = dict(document.get("components", {}))
        known = components.get("schemas", {}) | schemas
        components["schemas"] = closed(paths, known) | ERROR_SCHEMAS
        components["responses"] = _error_responses()
        return {**document, "paths": dict(sorted(paths.items())), "components": components}


def _operations(paths: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in paths.items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _with_problems(path: str, method: str, operation: Document) -> Document:
    """The framework's operation with our error answers in the place of its own."""
    kept = {
        code: _without_nothing(said)
        for code, said in operation["responses"].items()
        if code != _FRAMEWORK_ERROR
    }
    if path in _BESIDES:
        kept["200"] = {**kept["200"], "content": kept["200"]["content"] | _BESIDES[path]}
    statuses = set(_ALWAYS)
    if "security" in operation:
        statuses |= set(_SECURED)
    if path.startswith(_DOORS):
        statuses |= set(_SECURED)
    if "{" in path or path in _NAMING:
        statuses.add(404)
    if method != "get":
        statuses |= set(_UNSAFE)
    if "requestBody" in operation:
        statuses |= set(_WITH_BODY)
    dialect: Dialect = "openai" if path.startswith("/v1/") else "problem"
    responses = _errors(sorted(statuses), dialect) | kept
    return {**operation, "responses": dict(sorted(responses.items()))}


def _without_nothing(said: Document) -> Document:
    """An answer of nothing has no body, not even ``null``."""
    schemas = [body.get("schema") for body in said.get("content", {}).values()]
    if schemas != [{"type": "null"}]:
        return said
    return {name: part for name, part in said.items() if name != "content"}


def _extra_operation(extra: ExtraOperation, refs: dict[Any, JsonSchema]) -> Document:
    operation: Document = {
        "operationId": extra.operation_id,
        "summary": extra.summary,
        "tags": [extra.tag],
        "responses": {
            "200": {"description": extra.response_description, "content": _answers(extra, refs)},
            **_errors(extra.errors, extra.dialect),
        },
    }
    if extra.description:
        operation["description"] = extra.description
    if extra.parameters:
        operation["parameters"] = list(extra.parameters)
    if extra.secured:
        operation["security"] = SECURITY
    if extra.request is not None:
        body = {extra.request_type: {"schema": _schema(extra.request, refs)}}
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _answers(extra: ExtraOperation, refs: dict[Any, JsonSchema]) -> Document:
    shapes: dict[str, type | JsonSchema | None] = {
        "application/json": extra.response,
        **extra.other_responses,
        "text/event-stream": extra.events,
    }
    return {
        content_type: {"schema": _schema(shape, refs)}
        for content_type, shape in shapes.items()
        if shape is not None
    }


def _types_of(extra: ExtraOperation) -> list[Any]:
    shapes = (extra.request, extra.response, extra.events)
    return [shape for shape in shapes if shape is not None and not isinstance(shape, dict)]


def _schema(shape: type | JsonSchema, refs: dict[Any, JsonSchema]) -> JsonSchema:
    return shape if isinstance(shape, dict) else refs[shape]


def _errors(statuses: Sequence[int], dialect: Dialect) -> Document:
    return {
        str(status): {"$ref": f"#/components/responses/{_response_name(status, dialect)}"}
        for status in statuses
    }


def _error_responses() -> Document:
    return {
        _response_name(status, dialect): {
            "description": f"{title}.",
            "content": {
                MEDIA_TYPE_OF_DIALECT[dialect]: {
                    "schema": {"$ref": _REF.format(name=SCHEMA_OF_DIALECT[dialect])}
                }
            },
        }
        for dialect in SCHEMA_OF_DIALECT
        for status, title in sorted(_titles(dialect).items())
    }


def _titles(dialect: Dialect) -> dict[int, str]:
    return _TITLES | TITLES_OF_ANTHROPIC if dialect == "anthropic" else _TITLES


def _response_name(status: int, dialect: Dialect) -> str:
    return f"{SCHEMA_OF_DIALECT[dialect]}{status}"
