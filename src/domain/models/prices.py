from dataclasses import dataclass
from decimal import Decimal

from domain.shared.usage import Usage

MILLION = Decimal(1_000_000)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """US dollars per million tokens, unless said otherwise.

    Cached input, cache writes and audio input are part of the prompt tokens, reasoning and audio
    output part of the completion tokens; each is billed at its own price instead of ``input`` or
    ``output``, and like any other token where it has none. ``character`` is per million characters
    read aloud; ``request`` per call, ``image`` per image made, ``second`` per second of audio heard
    are US dollars each.
    """

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    character: Decimal | None = None
    request: Decimal | None = None
    image: Decimal | None = None
    second: Decimal | None = None

    @property
    def dearest_input(self) -> Decimal:
        """The most that a token of the prompt can cost."""
        special = (self.input, self.cached_input, self.cache_write, self.audio_input)
        return max(price for price in special if price is not None)

    @property
    def dearest_output(self) -> Decimal:
        """The most that a token of the answer can cost."""
        special = (self.output, self.reasoning, self.audio_output)
        return max(price for price in special if price is not None)

    def cost(self, usage: Usage) -> Decimal:
        """The exact price of a call in US dollars; never rounded."""
        tokens = usage.prompt_tokens * self.input + usage.completion_tokens * self.output
        if usage.cached_tokens:
            tokens += usage.cached_tokens * _beyond(self.cached_input, self.input)
        if usage.cache_write_tokens:
            tokens += usage.cache_write_tokens * _beyond(self.cache_write, self.input)
        if usage.audio_input_tokens:
            tokens += usage.audio_input_tokens * _beyond(self.audio_input, self.input)
        if usage.reasoning_tokens:
            tokens += usage.reasoning_tokens * _beyond(self.reasoning, self.output)
        if usage.audio_output_tokens:
            tokens += usage.audio_output_tokens * _beyond(self.audio_output, self.output)
        if usage.characters and self.character is not None:
            tokens += usage.characters * self.character
        return tokens / MILLION + self._cost_beside_tokens(usage)

    def _cost_beside_tokens(self, usage: Usage) -> Decimal:
        cost = self.request or NOTHING
        if usage.images and self.image is not None:
            cost += usage.images * self.image
        if usage.seconds and self.second is not None:
            cost += usage.seconds * self.second
        return cost


def _beyond(special: Decimal | None, ordinary: Decimal) -> Decimal:
    """What a special token costs more than the ordinary one that it was counted as."""
    return NOTHING if special is None else special - ordinary
