import msgspec

from adapters.dialects.fields import NOT_JSON
from adapters.dialects.google.wire import WireModality, usage_decoder
from domain.shared.usage import Usage


def read_usage(metadata: msgspec.Raw) -> Usage | None:
    """``None`` where there is none, or none that can be read.

    Google counts what is cached in the prompt, but neither thoughts in the answer nor the results
    of its own tools in the prompt.
    """
    if bytes(metadata) == b"null":
        return None
    try:
        said = usage_decoder.decode(metadata)
    except NOT_JSON:
        return None
    if said.prompt_token_count is None and said.candidates_token_count is None:
        return None
    thoughts = said.thoughts_token_count or 0
    return Usage(
        prompt_tokens=(said.prompt_token_count or 0) + (said.tool_use_prompt_token_count or 0),
        cached_tokens=said.cached_content_token_count or 0,
        audio_input_tokens=_audio(said.prompt_tokens_details),
        completion_tokens=(said.candidates_token_count or 0) + thoughts,
        reasoning_tokens=thoughts,
        audio_output_tokens=_audio(said.candidates_tokens_details),
    )


def _audio(details: list[WireModality] | None) -> int:
    return sum(one.token_count or 0 for one in details or () if one.modality == "AUDIO")
