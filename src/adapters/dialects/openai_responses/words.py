"""The Responses API's words for what all dialects know."""

from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.request import JsonObject

NAME = "openai-responses"

OUTPUT_LIMIT, FILTER = "max_output_tokens", "content_filter"
_INCOMPLETE = {
    StopReason.LENGTH: OUTPUT_LIMIT,
    StopReason.CONTEXT_LENGTH: OUTPUT_LIMIT,
    StopReason.FILTERED: FILTER,
    # A turn that is to be continued is not complete, and there is no word for why.
    StopReason.PAUSE: None,
}


def status_of(stop: StopReason, *, says_refusal: bool) -> tuple[str, JsonObject | None]:
    """The status of a response and its ``incomplete_details``. A refusal without a word of it
    would look like any answer, so it counts as filtered."""
    if stop is StopReason.REFUSED and not says_refusal:
        return "incomplete", {"reason": FILTER}
    if stop in _INCOMPLETE:
        return "incomplete", {"reason": _INCOMPLETE[stop]}
    return "completed", None


def stop_of(
    status: str, reason: str | None, *, calls_tools: bool, says_refusal: bool
) -> StopReason:
    if status == "incomplete":
        return StopReason.FILTERED if reason == FILTER else StopReason.LENGTH
    if calls_tools:
        return StopReason.TOOL_CALLS
    return StopReason.REFUSED if says_refusal else StopReason.END
