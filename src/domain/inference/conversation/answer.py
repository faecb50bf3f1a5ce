from dataclasses import dataclass, field
from enum import StrEnum

from domain.inference.conversation.parts import Part
from domain.inference.conversation.request import JsonObject
from domain.shared.usage import Usage


class StopReason(StrEnum):
    """Why a model stopped. ``pause`` is a long turn that wants to be continued."""

    END = "end"
    STOP_SEQUENCE = "stop_sequence"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    FILTERED = "filtered"
    REFUSED = "refused"
    PAUSE = "pause"
    CONTEXT_LENGTH = "context_length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer. ``logprobs`` are OpenAI's, as they came."""

    parts: tuple[Part, ...]
    stop: StopReason
    stop_sequence: str | None = None
    logprobs: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationAnswer:
    """A whole answer. ``created`` is in seconds since 1970; ``usage`` is ``None`` where the
    provider did not say."""

    id: str
    model: str
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    created: int | None = None
    service_tier: str | None = None
    extras: JsonObject = field(default_factory=dict)
