"""The few members of OpenAI's answers and chunks that the gateway itself reads."""

import msgspec

from adapters.dialects.counts import Count
from adapters.dialects.openai_chat.usage import whole_completion
from adapters.providers.json_reading import NOT_JSON
from domain.shared.usage import Usage

_NULL = msgspec.Raw(b"null")


class PromptDetails(msgspec.Struct):
    cached_tokens: Count | None = None
    audio_tokens: Count | None = None


class CompletionDetails(msgspec.Struct):
    reasoning_tokens: Count | None = None
    audio_tokens: Count | None = None


class WireUsage(msgspec.Struct):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None

    def usage(self) -> Usage | None:
        """``None`` where it says nothing."""
        if self.prompt_tokens is None and self.completion_tokens is None:
            return None
        prompt, completion = self.prompt_tokens_details, self.completion_tokens_details
        asked, answered = self.prompt_tokens or 0, self.completion_tokens or 0
        reasoning = (completion.reasoning_tokens or 0) if completion else 0
        return Usage(
            prompt_tokens=asked,
            cached_tokens=(prompt.cached_tokens or 0) if prompt else 0,
            audio_input_tokens=(prompt.audio_tokens or 0) if prompt else 0,
            completion_tokens=(
                whole_completion(asked, answered, reasoning, self.total_tokens)
                if reasoning
                else answered
            ),
            reasoning_tokens=reasoning,
            audio_output_tokens=(completion.audio_tokens or 0) if completion else 0,
        )


class WireChoice(msgspec.Struct):
    finish_reason: str | None = None


class WireAnswer(msgspec.Struct):
    """A whole answer or one chunk of a stream."""

    choices: list[WireChoice] | None = None
    data: msgspec.Raw = _NULL
    usage: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL
    object: str | None = None
    id: str | None = None
    created: int | float | None = None

    @property
    def says_something(self) -> bool:
        """Whether it has what an answer is for: choices, or the data of embeddings."""
        return self.choices is not None or bytes(self.data) != b"null"

    @property
    def has_usage(self) -> bool:
        return bytes(self.usage) != b"null"

    def read_usage(self) -> Usage | None:
        """``None`` where there is none, or none that can be read: then it has to be counted."""
        if not self.has_usage:
            return None
        try:
            return _usage_decoder.decode(self.usage).usage()
        except NOT_JSON:
            return None

    @property
    def failed(self) -> bool:
        return self.object == "error" or bytes(self.error) != b"null"

    @property
    def finish_reason(self) -> str | None:
        for choice in self.choices or ():
            if choice.finish_reason:
                return choice.finish_reason
        return None


_usage_decoder = msgspec.json.Decoder(WireUsage)
answer_decoder = msgspec.json.Decoder(WireAnswer)
