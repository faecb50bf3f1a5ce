from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.inference.conversation.parts import Part

JsonObject = dict[str, Any]


class Role(StrEnum):
    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """``tool`` turns hold ``ToolResult`` parts and nothing else, and no other turn holds them."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTool:
    """``parameters`` is a JSON schema; ``None`` for a tool without any.

    ``namespace`` is the group of tools that the client has it in, where there are such; ``name``
    then tells it from all others. ``takes_text`` is of a tool that the client gives a text instead
    of arguments: models are told of one parameter that is the text.
    """

    name: str
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None
    cache: str | None = None
    namespace: str | None = None
    takes_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedTool:
    """A tool that the provider runs itself (its search, its interpreter), as its dialect says
    it. No other dialect understands it."""

    dialect: str
    type: str
    definition: JsonObject


Tool = FunctionTool | HostedTool


class ToolMode(StrEnum):
    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    NAMED = "named"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    """``name`` is the tool that must be called, where the mode is ``named``."""

    mode: ToolMode
    name: str | None = None


class OutputKind(StrEnum):
    TEXT = "text"
    JSON = "json"
    JSON_SCHEMA = "json_schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFormat:
    """``name``, ``schema``, ``strict`` and ``description`` go with ``json_schema``."""

    kind: OutputKind
    name: str | None = None
    schema: JsonObject | None = None
    strict: bool | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """How much a model should think. ``effort`` is OpenAI's word (``none``, ``minimal``, ``low``,
    ``medium``, ``high``, ``xhigh``), ``budget_tokens`` Anthropic's and Google's number;
    ``is_adaptive`` leaves the amount to the model. ``summary`` is how its thoughts are told."""

    effort: str | None = None
    budget_tokens: int | None = None
    is_adaptive: bool = False
    is_enabled: bool = True
    summary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    stop: tuple[str, ...] = ()
    logprobs: bool = False
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """What a client asks a chat model, whatever dialect it asked in.

    ``model`` is the name that the client used. ``extras`` are the members of the request that this
    type does not know, by name: the dialect that they came in (``dialect``) gets them back, any
    other must refuse them by name, unless they are known not to matter to the answer.
    """

    dialect: str
    model: str
    turns: tuple[Turn, ...]
    stream: bool = False
    include_usage: bool = False
    max_output_tokens: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    choices: int = 1
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    output: OutputFormat | None = None
    reasoning: Reasoning | None = None
    verbosity: str | None = None
    user: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    service_tier: str | None = None
    extras: JsonObject = field(default_factory=dict)
