"""OpenAI's words for what all dialects know."""

from domain.inference.conversation.answer import StopReason
from domain.inference.errors import ProviderFailedError

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
    # Mistral's.
    "model_length": StopReason.CONTEXT_LENGTH,
}
# Mistral's and OpenRouter's: what there is of the answer is not what the model would have said.
_FAULT = "error"


def stop_of(finish_reason: str | None, *, calls_tools: bool = False) -> StopReason:
    """Servers have words of their own; and some say ``stop`` where tools are called. Raises
    ``ProviderFailedError`` for an answer that ended in an error."""
    if finish_reason == _FAULT:
        raise ProviderFailedError("The provider ended its answer with an error.")
    stop = _STOPS.get(finish_reason or "", StopReason.END)
    return StopReason.TOOL_CALLS if calls_tools and stop is StopReason.END else stop
