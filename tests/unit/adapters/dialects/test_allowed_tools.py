from typing import Any

import pytest

from adapters.dialects.allowed_tools import allowed_among
from domain.inference.conversation.request import FunctionTool, HostedTool, ToolChoice, ToolMode

A, B = FunctionTool(name="a"), FunctionTool(name="b")
SEARCH = HostedTool(dialect="openai", type="web_search", definition={})


def in_a_chat(mode: str, *tools: Any) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}


def in_a_response(mode: str, *tools: Any) -> dict[str, Any]:
    return {"type": "allowed_tools", "mode": mode, "tools": list(tools)}


@pytest.mark.parametrize(
    "choice",
    [
        in_a_chat("required", {"type": "function", "function": {"name": "b"}}),
        in_a_response("required", {"type": "function", "name": "b"}),
    ],
)
def test_models_are_told_of_no_tools_but_those_that_are_allowed(choice: dict[str, Any]) -> None:
    allowed = allowed_among((A, SEARCH, B), choice)

    assert allowed == ((B,), ToolChoice(mode=ToolMode.REQUIRED))


@pytest.mark.parametrize(
    "choice",
    [
        None,
        "auto",
        {"type": "function", "name": "a"},
        in_a_chat("never", {"type": "function", "function": {"name": "a"}}),
        in_a_chat("auto", {"type": "custom", "custom": {"name": "a"}}),
        in_a_chat("auto", "a"),
        in_a_response("auto", {"type": "function", "name": "unknown"}),
        in_a_response("auto", {"type": "web_search"}),
    ],
)
def test_any_other_choice_is_none_of_that_kind(choice: object) -> None:
    assert allowed_among((A, SEARCH, B), choice) is None
