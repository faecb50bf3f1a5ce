from typing import Any

import pytest

from adapters.providers.local.tools import read_plan
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError
from tests.fakes.local_models import ADD, WEATHER

NAMED = {"type": "function", "function": {"name": "add"}}


def called_names(schema: dict[str, Any]) -> list[str]:
    return [
        shape["properties"]["name"]["const"]
        for shape in schema["anyOf"]
        if "name" in shape["properties"]
    ]


@pytest.mark.parametrize(
    "body",
    [{}, {"tools": []}, {"tools": None}, {"tools": [ADD], "tool_choice": "none"}],
    ids=["absent", "empty", "null", "none"],
)
def test_no_tools_no_plan(body: dict[str, Any]) -> None:
    assert read_plan(body) is None


def test_by_default_a_tool_may_be_called_or_not() -> None:
    plan = read_plan({"tools": [WEATHER, ADD]})

    assert plan is not None
    schema = plan.schema(None)
    assert called_names(schema) == ["get_weather", "add"]
    assert schema["anyOf"][-1]["properties"] == {"reply": {"type": "string"}}
    assert '"reply"' in plan.instruction()


def test_a_required_tool_leaves_no_room_for_words() -> None:
    plan = read_plan({"tools": [WEATHER, ADD], "tool_choice": "required"})

    assert plan is not None
    assert called_names(plan.schema(None)) == ["get_weather", "add"]
    assert len(plan.schema(None)["anyOf"]) == 2
    assert "reply" not in plan.instruction()


@pytest.mark.parametrize(
    ("choice", "required"),
    [
        (NAMED, True),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}},
            False,
        ),
    ],
    ids=["named", "allowed"],
)
def test_a_choice_narrows_the_tools(choice: object, required: bool) -> None:
    plan = read_plan({"tools": [WEATHER, ADD], "tool_choice": choice})

    assert plan is not None
    assert [tool.name for tool in plan.tools] == ["add"]
    assert plan.required is required


def test_references_inside_a_tools_schema_stay_right() -> None:
    plan = read_plan({"tools": [ADD, WEATHER], "tool_choice": "required"})

    assert plan is not None
    schema = plan.schema(None)
    parameters = schema["$defs"]["tool_1"]
    assert parameters["properties"]["unit"] == {"$ref": "#/$defs/tool_1/$defs/Unit"}
    assert parameters["$defs"]["Unit"] == {"enum": ["celsius", "fahrenheit"]}


def test_several_calls_are_made_only_when_asked_for() -> None:
    plan = read_plan({"tools": [ADD], "tool_choice": "required", "parallel_tool_calls": True})

    assert plan is not None
    calls = plan.schema(None)["anyOf"][0]["properties"]["tool_calls"]
    assert calls["minItems"] == 1
    assert called_names(calls["items"]) == ["add"]


def test_an_answer_in_words_can_have_a_schema_of_its_own() -> None:
    plan = read_plan({"tools": [ADD]})

    assert plan is not None
    schema = plan.schema({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}})
    assert schema["anyOf"][-1]["properties"] == {"reply": {"$ref": "#/$defs/reply"}}
    assert schema["$defs"]["reply"]["properties"]["a"] == {"$ref": "#/$defs/reply/$defs/A"}


def test_a_tool_without_parameters_takes_an_object() -> None:
    plan = read_plan({"tools": [{"type": "function", "function": {"name": "now"}}]})

    assert plan is not None
    assert plan.schema(None)["$defs"]["tool_0"] == {"type": "object"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tools": {}}, "tools"),
        ({"tools": [ADD, ADD]}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0].function.name"),
        (
            {"tools": [{"function": {"name": "x", "parameters": "y"}}]},
            "tools[0].function.parameters",
        ),
        ({"tools": [ADD], "tool_choice": "sometimes"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": NAMED}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [ADD], "parallel_tool_calls": "yes"}, "parallel_tool_calls"),
    ],
    ids=["no array", "twice", "no name", "schema", "choice", "unknown", "no tools", "parallel"],
)
def test_refuses_nonsense_and_names_it(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidError) as raised:
        read_plan(body)

    assert raised.value.param == param


def test_refuses_tools_of_other_kinds() -> None:
    with pytest.raises(UnsupportedByModelError):
        read_plan({"tools": [{"type": "custom", "custom": {"name": "x"}}]})
