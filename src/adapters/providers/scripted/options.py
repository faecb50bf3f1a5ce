from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

Count = Annotated[int, msgspec.Meta(ge=0)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0)]
FailureStatus = Annotated[int, msgspec.Meta(ge=400, le=599)]


class ScriptedToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``arguments`` may be any JSON; text is taken as the arguments' JSON itself."""

    name: str
    arguments: Any = {}

    @property
    def arguments_json(self) -> str:
        if isinstance(self.arguments, str):
            return self.arguments
        return msgspec.json.encode(self.arguments).decode()


class ScriptedUsage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prompt_tokens: Count = 0
    cached_tokens: Count = 0
    completion_tokens: Count = 0
    reasoning_tokens: Count = 0

    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=self.completion_tokens,
            reasoning_tokens=self.reasoning_tokens,
        )


class ScriptedOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a scripted model does.

    ``delay_ms`` passes before the first token, ``chunk_delay_ms`` before each later one.
    ``fail_status`` fails every call as a provider's answer with that status would; ``hang`` never
    answers. ``cut_after`` breaks a stream after so many tokens. ``tool_call`` is made when the
    request offers tools and does not end with a tool's result. ``flagged_words`` are what makes a
    moderation flag a text, by category; ``transcript`` is what is heard in every recording.
    """

    reply: str | None = None
    delay_ms: Milliseconds = 0
    chunk_delay_ms: Milliseconds = 0
    fail_status: FailureStatus | None = None
    cut_after: Count | None = None
    tool_call: ScriptedToolCall | None = None
    finish_reason: str | None = None
    usage: ScriptedUsage | None = None
    hang: bool = False
    flagged_words: dict[str, list[str]] = {}
    transcript: str | None = None


def validate_options(options: Mapping[str, object]) -> ScriptedOptions:
    """Raises ``InvalidError`` for unknown names and wrong values."""
    try:
        return msgspec.convert(dict(options), ScriptedOptions)
    except msgspec.ValidationError as error:
        raise InvalidError(f"options of a scripted model: {error}", param="options") from error
