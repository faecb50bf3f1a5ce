"""The members of Gemini's answers, whole or in chunks, that are read."""

from typing import Any

import msgspec

from adapters.dialects.counts import Count

_NULL = msgspec.Raw(b"null")


class _Wire(msgspec.Struct, rename="camel"):
    pass


class WireBlob(_Wire):
    mime_type: str = ""
    data: str = ""


class WireCall(_Wire):
    name: str
    id: str | None = None
    args: dict[str, Any] | None = None


class WirePart(_Wire):
    """``thought_signature`` goes with any of the others, or stands with an empty text."""

    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: WireCall | None = None
    inline_data: WireBlob | None = None


class WireContent(_Wire):
    parts: list[msgspec.Raw] | None = None


class WireToken(_Wire):
    token: str = ""
    log_probability: float = 0.0


class WireTopTokens(_Wire):
    candidates: list[WireToken] = []


class WireLogprobs(_Wire):
    chosen_candidates: list[WireToken] = []
    top_candidates: list[WireTopTokens] = []


class WireCandidate(_Wire):
    content: WireContent | None = None
    finish_reason: str | None = None
    index: int = 0
    logprobs_result: WireLogprobs | None = None


class WireFeedback(_Wire):
    block_reason: str | None = None


class WireModality(_Wire):
    modality: str = ""
    token_count: Count | None = None


class WireUsage(_Wire):
    prompt_token_count: Count | None = None
    cached_content_token_count: Count | None = None
    tool_use_prompt_token_count: Count | None = None
    candidates_token_count: Count | None = None
    thoughts_token_count: Count | None = None
    prompt_tokens_details: list[WireModality] | None = None
    candidates_tokens_details: list[WireModality] | None = None


class WireAnswer(_Wire):
    candidates: list[WireCandidate] | None = None
    prompt_feedback: WireFeedback | None = None
    usage_metadata: msgspec.Raw = _NULL
    model_version: str = ""
    response_id: str = ""
    error: msgspec.Raw = _NULL

    @property
    def failed(self) -> bool:
        return bytes(self.error) != b"null"

    @property
    def is_blocked(self) -> bool:
        """Whether the prompt itself was refused."""
        feedback = self.prompt_feedback
        return not self.candidates and feedback is not None and feedback.block_reason is not None

    @property
    def says_something(self) -> bool:
        return bool(self.candidates) or self.is_blocked


answer_decoder = msgspec.json.Decoder(WireAnswer)
part_decoder = msgspec.json.Decoder(WirePart)
usage_decoder = msgspec.json.Decoder(WireUsage)
