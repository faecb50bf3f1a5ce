"""Whatever a schema and an answer say, holding one against the other takes a bounded time."""

import json
from time import process_time
from typing import Any

import pytest

from adapters.dialects.guarding.json_schemas import JsonSchemaValidators

# All of these take milliseconds; without a bound each takes from many seconds to for ever.
MOST_S = 20.0
SCHEMAS = JsonSchemaValidators()
NODE = {"$ref": "#/$defs/n"}
TOO_LARGE = "The answer is too large to be held against the schema of the route."
DOES_NOT_FIT = "The answer does not fit the schema of the route."


def of_nodes(node: dict[str, Any]) -> dict[str, Any]:
    return {**NODE, "$defs": {"n": node}}


def nested(levels: int) -> str:
    return "[" * levels + '"x"' + "]" * levels


RECURSIVE: dict[str, dict[str, Any]] = {
    "any of two ways": of_nodes(
        {
            "anyOf": [
                {"type": "array", "items": NODE},
                {"type": "array", "items": NODE, "maxItems": 1},
                {"const": 7},
            ]
        }
    ),
    "one of two ways": of_nodes(
        {
            "oneOf": [
                {"type": "array", "items": NODE},
                {"type": "array", "items": NODE, "maxItems": 9},
                {"const": 7},
            ]
        }
    ),
    "conditions": of_nodes(
        {"type": ["array", "null"], "if": {"items": NODE}, "then": {"items": NODE}, "else": False}
    ),
    "the root": {
        "type": ["array", "null"],
        "anyOf": [{"items": {"$ref": "#"}}, {"contains": {"$ref": "#"}}],
    },
    "dynamic": {
        "$dynamicAnchor": "n",
        "type": ["array", "null"],
        "anyOf": [{"items": {"$dynamicRef": "#n"}}, {"contains": {"$dynamicRef": "#n"}}],
    },
}


@pytest.mark.parametrize("name", RECURSIVE)
def test_a_deep_answer_is_held_against_a_recursive_schema_in_time(name: str) -> None:
    began = process_time()

    problem = SCHEMAS.problem(RECURSIVE[name])
    objections = {SCHEMAS.objection(RECURSIVE[name], nested(levels)) for levels in (6, 60, 100)}

    assert problem is None
    assert objections == {DOES_NOT_FIT}
    assert process_time() - began < MOST_S


def test_what_fits_a_recursive_schema_passes() -> None:
    tree = of_nodes({"type": "object", "additionalProperties": NODE})
    deep = '{"a":' * 100 + "{}" + "}" * 100
    wide = json.dumps({str(n): {} for n in range(2_000)})

    assert SCHEMAS.objection(tree, deep) is None
    assert SCHEMAS.objection(tree, wide) is None


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"items": {"anyOf": [{"const": n} for n in range(1_000)]}}, ["x"] * 2_000),
        ({"items": {"enum": list(range(5_000))}}, ["x"] * 2_000),
        ({"items": {"enum": [[n] for n in range(1_000)]}}, [[n] for n in range(2_000)]),
        (
            {"patternProperties": {f"^(a|b|ab)*{n}$": {"type": "null"} for n in range(32)}},
            {f"{'ab' * 30}{n}": 1 for n in range(20_000)},
        ),
        (of_nodes({"items": NODE, "contains": NODE}), [[]] * 60_000),
    ],
    ids=["choices", "values", "lists", "names", "pairs"],
)
def test_an_answer_that_is_too_much_work_is_refused(schema: dict[str, Any], answer: Any) -> None:
    text = json.dumps(answer)
    began = process_time()

    assert SCHEMAS.problem(schema) is None
    assert SCHEMAS.objection(schema, text) == TOO_LARGE
    assert process_time() - began < MOST_S


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)*$", "(x+x+)+y", "^(.*a){1,50}$"])
def test_patterns_take_linear_time(pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern}
    began = process_time()

    assert SCHEMAS.problem(schema) is None
    assert SCHEMAS.objection(schema, json.dumps("ax" * 20_000 + "!")) is not None
    assert process_time() - began < MOST_S


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"pattern": r"^(a+)+\1$"}, "must be a valid JSON schema (at '/pattern'); patterns have"),
        ({"pattern": "^(?=a)b"}, "must be a valid JSON schema (at '/pattern'); patterns have"),
        ({"pattern": "((a{1,99}){1,99}){1,99}"}, "must be a valid JSON schema (at '/pattern');"),
        (
            {"properties": {str(n): {"pattern": "a"} for n in range(33)}},
            "must not have more than 32 patterns",
        ),
    ],
    ids=["group", "look-around", "size", "number"],
)
def test_patterns_that_cannot_be_bounded_are_refused(schema: dict[str, Any], problem: str) -> None:
    assert (SCHEMAS.problem(schema) or "").startswith(problem)


def test_a_large_answer_is_told_where_it_is_wrong_if_that_is_soon_found() -> None:
    schema = {
        "properties": {f"p{n}": {"type": "array", "items": {"type": "integer"}} for n in range(50)}
    }
    answer: dict[str, Any] = {f"p{n}": [1, 2, 3] for n in range(50)}

    told = SCHEMAS.objection(schema, json.dumps({**answer, "p7": [1, "two"]}))

    assert told is not None
    assert "at '/p7/1'" in told


def test_large_answers_are_no_trouble_for_plain_schemas() -> None:
    member = {"type": "object", "properties": {n: {"type": "integer"} for n in "abcdefgh"}}
    schema = {"type": "array", "items": member}
    answer = [dict.fromkeys("abcdefgh", 1)] * 1_000

    assert SCHEMAS.objection(schema, json.dumps(answer)) is None
