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


def stop_reason(finish_reason: str, *, has_calls: bool) -> StopReason:
    """All the others are filters of Google's: safety, recitation, terms, languages and so on."""
    if finish_reason == "STOP":
        return StopReason.TOOL_CALLS if has_calls else StopReason.END
    if finish_reason == "MAX_TOKENS":
        return StopReason.LENGTH
    return StopReason.FILTERED
