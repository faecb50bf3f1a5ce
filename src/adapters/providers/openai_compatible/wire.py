"""The few members of OpenAI's answers and chunks that the gateway itself reads."""

import msgspec

from domain.shared.usage import Usage

# What decoding raises for bytes that are no JSON, or JSON nested too deeply to be taken for it.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None

    def usage(self) -> Usage:
        prompt, completion = self.prompt_tokens_details, self.completion_tokens_details
        return Usage(
            prompt_tokens=self.prompt_tokens or 0,
            cached_tokens=(prompt.cached_tokens or 0) if prompt else 0,
            completion_tokens=self.completion_tokens or 0,
            reasoning_tokens=(completion.reasoning_tokens or 0) if completion else 0,
        )


class WireChoice(msgspec.Struct):
    finish_reason: str | None = None


class WireAnswer(msgspec.Struct):
    """A whole answer or one chunk of a stream."""

    choices: list[WireChoice] | None = None
    usage: WireUsage | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")
    object: str | None = None

    @property
    def failed(self) -> bool:
        return self.object == "error" or bytes(self.error) != b"null"

    @property
    def finish_reason(self) -> str | None:
        return next((c.finish_reason for c in self.choices or () if c.finish_reason), None)


answer_decoder = msgspec.json.Decoder(WireAnswer)
