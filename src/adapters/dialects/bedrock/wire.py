"""The members of Converse's answers and events that are read."""

from typing import Any

import msgspec

from adapters.dialects.counts import Count
from domain.inference.conversation.answer import StopReason
from domain.shared.usage import Usage

_HOUR = "1h"
_STOPS = {
    "end_turn": StopReason.END,
    "tool_use": StopReason.TOOL_CALLS,
    "max_tokens": StopReason.LENGTH,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "guardrail_intervened": StopReason.FILTERED,
    "content_filtered": StopReason.FILTERED,
    "model_context_window_exceeded": StopReason.CONTEXT_LENGTH,
}
# The model wrote something that nobody can read: there is no answer to hand on.
FAULTS = frozenset({"malformed_model_output", "malformed_tool_use"})


class _Wire(msgspec.Struct, rename="camel"):
    pass


class WireCacheDetail(_Wire):
    input_tokens: Count | None = None
    ttl: str = ""


class WireUsage(_Wire):
    """What was read from a cache or written to one is not among the input."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_write_input_tokens: Count | None = None
    cache_details: list[WireCacheDetail] | None = None

    def usage(self) -> Usage | None:
        if self.input_tokens is None and self.output_tokens is None:
            return None
        read, write = self.cache_read_input_tokens or 0, self.cache_write_input_tokens or 0
        return Usage(
            prompt_tokens=(self.input_tokens or 0) + read + write,
            cached_tokens=read,
            cache_write_tokens=write,
            cache_write_1h_tokens=sum(
                one.input_tokens or 0 for one in self.cache_details or () if one.ttl == _HOUR
            ),
            completion_tokens=self.output_tokens or 0,
        )


class WireStop(_Wire, kw_only=True):
    """What an answer and the end of a stream have in common."""

    stop_reason: str
    additional_model_response_fields: dict[str, Any] | None = None

    @property
    def reason(self) -> StopReason:
        return _STOPS.get(self.stop_reason, StopReason.END)

    @property
    def stop_sequence(self) -> str | None:
        found = (self.additional_model_response_fields or {}).get("stop_sequence")
        return found if isinstance(found, str) else None


class WireMessage(_Wire):
    content: list[msgspec.Raw]


class WireOutput(_Wire):
    message: WireMessage


class WireAnswer(WireStop, kw_only=True):
    output: WireOutput
    usage: WireUsage = msgspec.field(default_factory=WireUsage)


class WireCall(_Wire):
    tool_use_id: str
    name: str
    input: msgspec.Raw = msgspec.Raw(b"{}")


class WireSigned(_Wire):
    text: str = ""
    signature: str | None = None


class WireReasoning(_Wire):
    reasoning_text: WireSigned | None = None
    redacted_content: str | None = None


class WireImageBytes(_Wire):
    bytes: str | None = None


class WireImage(_Wire):
    format: str
    source: WireImageBytes


class WireCited(_Wire):
    content: list[WireSigned] = []


class WireBlock(_Wire):
    text: str | None = None
    tool_use: WireCall | None = None
    reasoning_content: WireReasoning | None = None
    image: WireImage | None = None
    citations_content: WireCited | None = None


class WireImageFormat(_Wire):
    format: str


class WireStart(_Wire):
    tool_use: WireCall | None = None
    image: WireImageFormat | None = None


class WireStarted(_Wire):
    content_block_index: int
    start: WireStart = msgspec.field(default_factory=WireStart)


class WireArguments(_Wire):
    input: str = ""


class WireThought(_Wire):
    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class WirePieceBytes(msgspec.Struct):
    data: bytes = msgspec.field(default=b"", name="bytes")


class WireImagePiece(_Wire):
    source: WirePieceBytes = msgspec.field(default_factory=WirePieceBytes)


class WireDelta(_Wire):
    text: str | None = None
    tool_use: WireArguments | None = None
    reasoning_content: WireThought | None = None
    image: WireImagePiece | None = None


class WireMore(_Wire):
    content_block_index: int
    delta: WireDelta


class WireEnded(_Wire):
    content_block_index: int


class WireMetadata(_Wire):
    usage: WireUsage = msgspec.field(default_factory=WireUsage)


answer_decoder = msgspec.json.Decoder(WireAnswer)
block_decoder = msgspec.json.Decoder(WireBlock)
