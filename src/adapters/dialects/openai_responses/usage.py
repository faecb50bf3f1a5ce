from adapters.dialects.fields import Fields
from adapters.dialects.usage import usage_in
from domain.inference.conversation.request import JsonObject
from domain.shared.usage import Usage


def read_usage(value: object) -> Usage | None:
    """``None`` where it says nothing that can be understood: then it has to be counted."""
    return usage_in(value, _read)


def _read(fields: Fields) -> Usage | None:
    asked, said = fields.integer("input_tokens"), fields.integer("output_tokens")
    if asked is None and said is None:
        return None
    of_input = fields.object("input_tokens_details") or Fields({})
    of_output = fields.object("output_tokens_details") or Fields({})
    return Usage(
        prompt_tokens=asked or 0,
        cached_tokens=of_input.integer("cached_tokens") or 0,
        cache_write_tokens=of_input.integer("cache_write_tokens") or 0,
        completion_tokens=said or 0,
        reasoning_tokens=of_output.integer("reasoning_tokens") or 0,
    )


def write_usage(usage: Usage | None) -> JsonObject | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
