"""Anthropic counts what was read from a cache and written to one beside the input, not in it."""

from adapters.dialects.fields import Fields
from adapters.dialects.usage import usage_in
from domain.inference.conversation.request import JsonObject
from domain.shared.usage import Usage


def read_usage(value: object) -> Usage | None:
    """``None`` where it says nothing that can be understood: then it has to be counted."""
    return usage_in(value, _read)


def write_usage(usage: Usage) -> JsonObject:
    beside = usage.cached_tokens + usage.cache_write_tokens
    written: JsonObject = {
        "input_tokens": max(0, usage.prompt_tokens - beside),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
    }
    if usage.cache_write_1h_tokens:
        written["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens - usage.cache_write_1h_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        }
    if usage.reasoning_tokens:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return written


def _read(fields: Fields) -> Usage | None:
    fresh, said = fields.integer("input_tokens"), fields.integer("output_tokens")
    if fresh is None and said is None:
        return None
    creation = fields.object("cache_creation") or Fields({})
    for_an_hour = creation.integer("ephemeral_1h_input_tokens") or 0
    written = fields.integer("cache_creation_input_tokens")
    if written is None:
        written = (creation.integer("ephemeral_5m_input_tokens") or 0) + for_an_hour
    cached = fields.integer("cache_read_input_tokens") or 0
    details = fields.object("output_tokens_details") or Fields({})
    return Usage(
        prompt_tokens=(fresh or 0) + written + cached,
        cached_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=for_an_hour,
        completion_tokens=said or 0,
        reasoning_tokens=details.integer("thinking_tokens") or 0,
    )
