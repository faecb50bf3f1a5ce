"""Names of tools that a provider does not take, and those that it is told instead."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256

from domain.inference.conversation.parts import Part, ToolCall, ToolResult
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    Tool,
    ToolChoice,
    Turn,
)

# What OpenAI and Amazon take, and Anthropic and Google too.
PLAIN_NAMES = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}")
_STRANGE = re.compile(r"[^a-zA-Z0-9_]")
_MOST, _DIGITS = 64, 8


def told_names(request: GenerationRequest, allowed: re.Pattern[str]) -> dict[str, str]:
    """By the client's names, those that are told instead; the same for the same name, since a
    conversation goes on, and providers keep prompts that do not change."""
    return {name: _told(name) for name in _names(request) if not allowed.fullmatch(name)}


def with_told(request: GenerationRequest, told: Mapping[str, str]) -> GenerationRequest:
    return replace(
        request,
        tools=tuple(_tool(tool, told) for tool in request.tools),
        tool_choice=_choice(request.tool_choice, told),
        turns=tuple(_turn(turn, told) for turn in request.turns),
    )


def plainly_named(request: GenerationRequest) -> GenerationRequest:
    """For those who only count what is told."""
    return with_told(request, told_names(request, PLAIN_NAMES))


def _names(request: GenerationRequest) -> Iterable[str]:
    yield from (tool.name for tool in request.tools if isinstance(tool, FunctionTool))
    for turn in request.turns:
        yield from (part.name for part in turn.parts if isinstance(part, ToolCall))


def _told(name: str) -> str:
    digest = sha256(name.encode()).hexdigest()[:_DIGITS]
    # No name may begin with a digit everywhere.
    plain = f"{'_' if name[:1].isdigit() else ''}{_STRANGE.sub('_', name)}"
    return f"{plain[: _MOST - _DIGITS - 1] or 'tool'}_{digest}"


def _tool(tool: Tool, told: Mapping[str, str]) -> Tool:
    if not isinstance(tool, FunctionTool) or tool.name not in told:
        return tool
    return replace(tool, name=told[tool.name])


def _choice(choice: ToolChoice | None, told: Mapping[str, str]) -> ToolChoice | None:
    if choice is None or choice.name is None:
        return choice
    return replace(choice, name=told.get(choice.name, choice.name))


def _turn(turn: Turn, told: Mapping[str, str]) -> Turn:
    return replace(turn, parts=tuple(renamed(part, told) for part in turn.parts))


def renamed(part: Part, names: Mapping[str, str]) -> Part:
    if not isinstance(part, ToolCall | ToolResult) or part.name is None:
        return part
    return replace(part, name=names.get(part.name, part.name))
