import time
from typing import Any

import pytest

from adapters.providers.local.json_schema import checked, moved, pattern_cost
from domain.inference.errors import UnsupportedByModelError
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


def test_a_property_may_be_called_like_a_keyword() -> None:
    schema = {"properties": {"default": {"$ref": "#/$defs/A"}, "$ref": {"type": "string"}}}

    assert moved(schema, "tool_0") == {
        "properties": {"default": {"$ref": "#/$defs/tool_0/$defs/A"}, "$ref": {"type": "string"}}
    }


def test_puts_patterns_as_the_grammar_takes_them() -> None:
    schema = {
        "properties": {"pattern": {"type": "string", "pattern": r"\d{2}"}},
        "enum": [{"pattern": r"\d"}],
    }

    assert checked(schema, "response_format") == {
        "properties": {
            "pattern": {
                "type": "string",
                "pattern": r'^[^"\\\x00-\x1F]*(?:[0-9]{2})[^"\\\x00-\x1F]*$',
            }
        },
        "enum": [{"pattern": r"\d"}],
    }


def doubling(keyword: str, times: int) -> dict[str, Any]:
    """Few definitions with 2 to the power of ``times`` readings."""
    definitions: dict[str, Any] = {f"d{times}": {"type": "string"}}
    for number in range(times):
        following = {"$ref": f"#/$defs/d{number + 1}"}
        definitions[f"d{number}"] = {keyword: [following, following]}
    return {"$defs": definitions, "$ref": "#/$defs/d0"}


def chained(length: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {f"d{length}": {"type": "string"}}
    for number in range(length):
        definitions[f"d{number}"] = {"properties": {"a": {"$ref": f"#/$defs/d{number + 1}"}}}
    return {"$defs": definitions, "$ref": "#/$defs/d0"}


def test_a_schema_may_recur_and_share() -> None:
    tree = {
        "properties": {
            "left": {"$ref": "#/$defs/tree"},
            "right": {"$ref": "#/$defs/tree"},
            "self": {"$ref": "#/$defs/self"},
        }
    }
    schema = {"$defs": {"tree": tree, "self": {"$ref": "#/$defs/self"}}, "$ref": "#/$defs/tree"}

    assert checked(schema, "response_format") == schema
    assert checked(doubling("anyOf", 10), "response_format")


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
        {"enum": ["x" * 150_000, "y" * 150_000]},
        {"properties": {"x" * 300_000: {}}},
        doubling("anyOf", 40),
        doubling("allOf", 40),
        chained(500),
    ],
    ids=[
        "no object",
        "deep",
        "wide",
        "explosive pattern",
        "long pattern",
        "long texts",
        "long name",
        "doubling choices",
        "doubling unions",
        "long chain",
    ],
)
def test_refuses_what_could_keep_the_engine_busy(schema: object) -> None:
    began = time.process_time()

    with pytest.raises(InvalidError) as raised:
        checked(schema, "response_format")

    assert raised.value.param == "response_format"
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"type": "number", "minimum": 0}, "minimum"),
        ({"type": "integer", "multipleOf": 2}, "multipleOf"),
        ({"type": "array", "uniqueItems": True}, "uniqueItems"),
        ({"type": "string", "format": "email"}, "format"),
        ({"type": "string", "pattern": "^(?=a)b$"}, "pattern"),
        ({"type": "string", "pattern": "^a+$", "maxLength": 3}, "maxLength"),
        ({"not": {"type": "string"}}, "not"),
        ({"type": "object", "required": ["a"]}, "required"),
        ({"prefixItems": [{}], "items": {}}, "items"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {}}, "minLength": 2}, "minLength"),
        ({"anyOf": [{}], "type": "object"}, "type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_strict_schema_is_refused_if_its_promise_cannot_be_kept(
    schema: dict[str, Any], keyword: str
) -> None:
    inside = {"type": "object", "properties": {"a": {"items": schema}}}

    with pytest.raises(UnsupportedByModelError) as raised:
        checked(inside, "response_format", strict=True)

    assert f"'{keyword}' at #/properties/a/items" in raised.value.message
    assert checked(inside, "response_format") == inside


def test_a_strict_schema_may_have_all_that_the_grammar_enforces() -> None:
    schema = {
        "title": "Order",
        "type": "object",
        "properties": {
            "not": {"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "default": {"not": 1}},
            "day": {"type": "string", "format": "date"},
            "code": {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"},
            "name": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}], "title": "n"},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "minItems": 1},
        },
        "required": ["not", "day"],
        "additionalProperties": False,
        "$defs": {"line": {"enum": ["a", 1, None]}},
    }

    assert checked(schema, "response_format", strict=True) == schema


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
