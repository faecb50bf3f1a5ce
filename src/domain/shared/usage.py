from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, inclusive as in OpenTelemetry's GenAI conventions.

    ``cached_tokens`` is a part of ``prompt_tokens`` and ``reasoning_tokens`` a part of
    ``completion_tokens``. ``counted`` is true where the provider reported nothing and the gateway
    estimated the numbers itself.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    counted: bool = False

    def __post_init__(self) -> None:
        # A provider that reports more cached tokens than tokens must not produce a negative price.
        if self.cached_tokens > self.prompt_tokens:
            object.__setattr__(self, "cached_tokens", self.prompt_tokens)
