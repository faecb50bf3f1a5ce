"""An answer in pieces, in no provider's format.

A stream begins with ``Started``. Each part of each choice has one ``PartStarted``, its deltas, and
one ``PartEnded``; the parts of a choice are numbered from 0 in the order in which they start, and
may overlap (parallel tool calls). Each choice has one ``Stopped`` after its last part. ``Measured``
may come more than once, each time with all that is known; the last one counts.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.parts import Part
from domain.inference.conversation.request import JsonObject
from domain.shared.usage import Usage


class PartKind(StrEnum):
    TEXT = "text"
    THINKING = "thinking"
    TOOL_CALL = "tool_call"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    id: str
    model: str
    created: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStarted:
    """``call_id`` and ``name`` go with tool calls; ``part_id`` is the provider's name for a thought
    or a message where it has one."""

    index: int
    kind: PartKind
    choice: int = 0
    call_id: str = ""
    name: str = ""
    part_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """More text of a part; of a tool call, more of its arguments' JSON text."""

    index: int
    text: str
    choice: int = 0
    logprobs: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """What the dialect ``of`` wants back with a thought or a tool call, whole."""

    index: int
    value: str
    of: str
    choice: int = 0
    is_redacted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEnded:
    index: int
    choice: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WholePart:
    """A part that came at once and has no deltas (``Foreign``, say)."""

    index: int
    part: Part
    choice: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    reason: StopReason
    choice: int = 0
    stop_sequence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    usage: Usage


StreamEvent = Started | PartStarted | Delta | Opaque | PartEnded | WholePart | Stopped | Measured
