from adapters.dialects.fields import Fields
from adapters.dialects.usage import usage_in
from domain.inference.conversation.request import JsonObject
from domain.shared.usage import Usage


def read_usage(value: object) -> Usage | None:
    """``None`` where it says nothing that can be understood: then it has to be counted."""
    return usage_in(value, _read)


def whole_completion(prompt: int, completion: int, reasoning: int, total: int | None) -> int:
    """The tokens of an answer together with those of its thoughts. Some servers (xAI's) count the
    thoughts beside the answer, which shows in their total."""
    if total is None:
        return completion if reasoning <= completion else completion + reasoning
    return completion + reasoning if total == prompt + completion + reasoning else completion


def _read(fields: Fields) -> Usage | None:
    prompt, completion = fields.integer("prompt_tokens"), fields.integer("completion_tokens")
    if prompt is None and completion is None:
        return None
    asked = fields.object("prompt_tokens_details") or Fields({})
    said = fields.object("completion_tokens_details") or Fields({})
    reasoning = said.integer("reasoning_tokens") or 0
    total = fields.integer("total_tokens")
    return Usage(
        prompt_tokens=prompt or 0,
        cached_tokens=asked.integer("cached_tokens") or 0,
        cache_write_tokens=asked.integer("cache_write_tokens") or 0,
        audio_input_tokens=asked.integer("audio_tokens") or 0,
        completion_tokens=whole_completion(prompt or 0, completion or 0, reasoning, total),
        reasoning_tokens=reasoning,
        audio_output_tokens=said.integer("audio_tokens") or 0,
    )


def write_usage(usage: Usage) -> JsonObject:
    asked = {"cached_tokens": usage.cached_tokens, "audio_tokens": usage.audio_input_tokens}
    if usage.cache_write_tokens:
        asked["cache_write_tokens"] = usage.cache_write_tokens
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": asked,
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.audio_output_tokens,
        },
    }
