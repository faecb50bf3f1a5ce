"""OpenAI's words for what all dialects know."""

from domain.inference.conversation.answer import StopReason

NAME = "openai"

FINISH_REASONS = {
    StopReason.END: "stop",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.LENGTH: "length",
    StopReason.TOOL_CALLS: "tool_calls",
    StopReason.FILTERED: "content_filter",
    StopReason.REFUSED: "content_filter",
    StopReason.PAUSE: "stop",
    StopReason.CONTEXT_LENGTH: "length",
}
_STOPS = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "tool_calls": StopReason.TOOL_CALLS,
    "function_call": StopReason.TOOL_CALLS,
    "content_filter": StopReason.FILTERED,
}


def stop_of(finish_reason: str | None, *, calls_tools: bool = False) -> StopReason:
    """Servers have words of their own; and some say ``stop`` where tools are called."""
    stop = _STOPS.get(finish_reason or "", StopReason.END)
    return StopReason.TOOL_CALLS if calls_tools and stop is StopReason.END else stop
