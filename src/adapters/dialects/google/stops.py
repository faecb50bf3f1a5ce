from domain.inference.conversation.answer import StopReason

# The model wrote something that is no call of a tool: there is no answer to hand on.
FAULTS = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    }
)


_STOPS = {
    "FINISH_REASON_UNSPECIFIED": StopReason.END,
    "MAX_TOKENS": StopReason.LENGTH,
    # What one request may say is used up, and the answer is not whole.
    "CONTINUATION": StopReason.LENGTH,
}


def stop_reason(finish_reason: str, *, has_calls: bool) -> StopReason:
    """All the others are filters of Google's: safety, recitation, terms, languages and so on."""
    if finish_reason == "STOP":
        return StopReason.TOOL_CALLS if has_calls else StopReason.END
    return _STOPS.get(finish_reason, StopReason.FILTERED)
