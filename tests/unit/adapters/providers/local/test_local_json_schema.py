import time
from typing import Any

import pytest

from adapters.providers.local.json_schema import checked, moved, pattern_cost
from domain.shared.errors import InvalidError


def test_leaves_an_ordinary_schema_as_it_is() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {}}}

    assert checked(schema, "response_format") is schema


def test_makes_recursion_to_the_root_explicit() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}}

    assert checked(schema, "response_format") == {
        "$defs": {
            "root": {"type": "object", "properties": {"next": {"$ref": "#/$defs/root"}}},
        },
        "$ref": "#/$defs/root",
    }


def test_a_moved_schema_keeps_its_data() -> None:
    schema = {"anyOf": [{"$ref": "#/$defs/A"}], "enum": [{"$ref": "#/x"}]}

    assert moved(schema, "tool_0") == {
        "anyOf": [{"$ref": "#/$defs/tool_0/$defs/A"}],
        "enum": [{"$ref": "#/x"}],
    }


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        "no object",
        nested(40),
        {"enum": list(range(3000))},
        {"pattern": "^((((a{0,200}){0,200}){0,200}){0,200})$"},
        {"properties": {"deep": {"pattern": "a" * 501}}},
    ],
    ids=["no object", "deep", "wide", "explosive pattern", "long pattern"],
)
def test_refuses_what_could_keep_the_engine_busy(schema: object) -> None:
    began = time.monotonic()

    with pytest.raises(InvalidError) as raised:
        checked(schema, "response_format")

    assert raised.value.param == "response_format"
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("pattern", "cost"),
    [
        ("^abc$", 3),
        (r"^\d{4}-\d{2}-\d{2}$", 10),
        ("^[a-z]{0,20}$", 20),
        ("^(ab|cd){3}$", 12),
        ("^((a{2}){3}){4}$", 24),
        ("^[0-9a-f]{8}-[0-9a-f]{4}$", 13),
        ("^a{3,}$", 3),
        ("a{", 2),
    ],
)
def test_counts_what_a_pattern_unfolds_to(pattern: str, cost: int) -> None:
    assert pattern_cost(pattern) == cost
