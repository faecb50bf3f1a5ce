"""Anthropic's words for what all dialects know."""

from domain.inference.conversation.answer import StopReason

NAME = "anthropic"

STOP_REASONS = {
    StopReason.END: "end_turn",
    StopReason.STOP_SEQUENCE: "stop_sequence",
    StopReason.LENGTH: "max_tokens",
    StopReason.TOOL_CALLS: "tool_use",
    StopReason.FILTERED: "refusal",
    StopReason.REFUSED: "refusal",
    StopReason.PAUSE: "pause_turn",
    StopReason.CONTEXT_LENGTH: "model_context_window_exceeded",
}
_STOPS = {word: stop for stop, word in STOP_REASONS.items()}


def stop_of(stop_reason: str | None) -> StopReason:
    return _STOPS.get(stop_reason or "", StopReason.END)
