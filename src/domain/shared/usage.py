from dataclasses import dataclass

_COUNTS = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, inclusive as in OpenTelemetry's GenAI conventions.

    ``cached_tokens`` is a part of ``prompt_tokens`` and ``reasoning_tokens`` a part of
    ``completion_tokens``. ``counted`` is true where the provider reported nothing and the gateway
    estimated the numbers itself. Whatever a provider reports, no number is negative.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    counted: bool = False

    def __post_init__(self) -> None:
        # What a confused provider reports must not produce a negative price.
        for name in _COUNTS:
            if getattr(self, name) < 0:
                object.__setattr__(self, name, 0)
        if self.cached_tokens > self.prompt_tokens:
            object.__setattr__(self, "cached_tokens", self.prompt_tokens)
