from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter

_COUNTS = (
    "prompt_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "audio_output_tokens",
    "images",
    "characters",
    "searches",
)
_counts_of = attrgetter(*_COUNTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one call used, inclusive as in OpenTelemetry's GenAI conventions.

    ``cached_tokens``, ``cache_write_tokens`` and ``audio_input_tokens`` are parts of
    ``prompt_tokens``, and ``cache_write_1h_tokens``, which a cache keeps for an hour, are a part of
    ``cache_write_tokens``; ``reasoning_tokens`` and ``audio_output_tokens`` are parts of
    ``completion_tokens``. ``images`` are those made, ``seconds`` is the length of audio that was
    heard, ``characters`` what was read aloud, ``searches`` are what a ranking is billed as, where
    that is told. ``counted`` is true where the provider reported
    nothing and the gateway estimated the numbers itself. Whatever a provider reports, no number is
    negative.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    audio_input_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    audio_output_tokens: int = 0
    images: int = 0
    seconds: Decimal = Decimal(0)
    characters: int = 0
    searches: int = 0
    counted: bool = False

    def __post_init__(self) -> None:
        # What a confused provider reports must not produce a negative price.
        if min(_counts_of(self)) < 0 or self.seconds < 0 or self._exceeds_itself():
            self._repair()

    def _exceeds_itself(self) -> bool:
        return (
            self.cached_tokens + self.cache_write_tokens > self.prompt_tokens
            or self.cache_write_1h_tokens > self.cache_write_tokens
            or self.audio_input_tokens > self.prompt_tokens
            or self.reasoning_tokens + self.audio_output_tokens > self.completion_tokens
        )

    def _repair(self) -> None:
        for name in _COUNTS:
            if getattr(self, name) < 0:
                object.__setattr__(self, name, 0)
        if self.seconds < 0:
            object.__setattr__(self, "seconds", Decimal(0))
        self._bound("cached_tokens", self.prompt_tokens)
        self._bound("cache_write_tokens", self.prompt_tokens - self.cached_tokens)
        self._bound("cache_write_1h_tokens", self.cache_write_tokens)
        self._bound("audio_input_tokens", self.prompt_tokens)
        self._bound("reasoning_tokens", self.completion_tokens)
        self._bound("audio_output_tokens", self.completion_tokens - self.reasoning_tokens)

    def _bound(self, name: str, most: int) -> None:
        if getattr(self, name) > most:
            object.__setattr__(self, name, most)


NO_USAGE = Usage()
