"""What Cohere says."""

import msgspec

from adapters.dialects.counts import FloatCount
from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from domain.inference.conversation.answer import StopReason
from domain.shared.usage import Usage

_STOPS = {
    "COMPLETE": StopReason.END,
    "STOP_SEQUENCE": StopReason.STOP_SEQUENCE,
    "MAX_TOKENS": StopReason.LENGTH,
    "TOOL_CALL": StopReason.TOOL_CALLS,
    "ERROR_TOXIC": StopReason.FILTERED,
}
_FAULTS = (None, "ERROR", "TIMEOUT")


class WirePart(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None


class WireFunction(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class WireCall(msgspec.Struct):
    id: str | None = None
    function: WireFunction = msgspec.field(default_factory=WireFunction)


class WireTokens(msgspec.Struct):
    input_tokens: FloatCount | None = None
    output_tokens: FloatCount | None = None


class WireUsage(msgspec.Struct):
    """``billed_units`` are what the call costs; ``tokens`` counts Cohere's own instructions too."""

    billed_units: WireTokens | None = None
    tokens: WireTokens | None = None
    cached_tokens: FloatCount | None = None

    def usage(self) -> Usage | None:
        counts = self.billed_units or self.tokens
        if counts is None or counts.input_tokens is None or counts.output_tokens is None:
            return None
        return Usage(
            prompt_tokens=int(counts.input_tokens),
            cached_tokens=int(self.cached_tokens or 0),
            completion_tokens=int(counts.output_tokens),
        )


class WireMessage(msgspec.Struct):
    content: list[WirePart] | None = None
    tool_plan: str | None = None
    tool_calls: list[WireCall] | None = None


class WireAnswer(msgspec.Struct):
    id: str = ""
    finish_reason: str | None = None
    message: WireMessage | None = None
    usage: WireUsage | None = None


class WireDeltaMessage(msgspec.Struct):
    """In pieces, a part and a call stand alone; where a message starts they are empty lists."""

    content: WirePart | list[WirePart] | None = None
    tool_plan: str | None = None
    tool_calls: WireCall | list[WireCall] | None = None


class WireDelta(msgspec.Struct):
    message: WireDeltaMessage | None = None
    finish_reason: str | None = None
    usage: WireUsage | None = None


class WireEvent(msgspec.Struct):
    type: str
    id: str = ""
    index: int = 0
    delta: WireDelta | None = None


answer_decoder = msgspec.json.Decoder(WireAnswer)
event_decoder = msgspec.json.Decoder(WireEvent)


def read_answer(body: bytes, failures: Failures) -> tuple[WireAnswer, WireMessage]:
    try:
        said = answer_decoder.decode(body)
    except NOT_JSON as error:
        raise failures.no_answer("answered with something that is none of its answers") from error
    if said.message is None:
        raise failures.no_answer("answered without a message")
    return said, said.message


def stop_of(reason: str | None, failures: Failures) -> StopReason:
    """Raises ``ProviderFailedError`` for an answer that ended in an error. A reason of next year's
    is an end like any other."""
    if reason in _FAULTS:
        raise failures.no_answer(f"ended its answer with '{(reason or 'nothing')[:40]}'")
    return _STOPS.get(reason or "", StopReason.END)
