from dataclasses import dataclass, replace
from decimal import Decimal

from domain.shared.usage import Usage

MILLION = Decimal(1_000_000)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """US dollars per million tokens, unless said otherwise.

    Cached input, cache writes and audio input are part of the prompt tokens, reasoning and audio
    output part of the completion tokens; each is billed at its own price instead of ``input`` or
    ``output``, and like any other token where it has none, but for audio: ``bill`` knows no cost
    of that. ``character`` is per million characters
    read aloud; ``request`` per call, or per search where a ranking is billed as several, ``image``
    per image made, ``second`` per second of audio heard are US dollars each. ``cache_write_1h`` is
    for what a cache keeps for an hour, ``cache_write`` for any other write.

    ``tiers`` are what prompts above a size are billed at instead, whole: a request with one token
    more than ``above`` has none of these prices, but those of its tier.
    """

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    character: Decimal | None = None
    request: Decimal | None = None
    image: Decimal | None = None
    second: Decimal | None = None
    tiers: tuple["PriceTier", ...] = ()

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.tiers, key=lambda tier: tier.above))
        object.__setattr__(self, "tiers", ordered)

    def at(self, prompt_tokens: int) -> "Prices":
        """What a request with a prompt of that size is billed at; it has no tiers any more."""
        if not self.tiers:
            return self
        reached = [tier.prices for tier in self.tiers if prompt_tokens > tier.above]
        return reached[-1] if reached else replace(self, tiers=())

    def up_to(self, prompt_tokens: int) -> "tuple[Prices, ...]":
        """All that a request may be billed at of whose prompt only that much is known."""
        if not self.tiers:
            return (self,)
        return self, *(tier.prices for tier in self.tiers if prompt_tokens > tier.above)

    @property
    def dearest_input(self) -> Decimal:
        """The most that a token of the prompt can cost."""
        return max(
            self.input,
            self.cached_input or NOTHING,
            self.cache_write or NOTHING,
            self.cache_write_1h or NOTHING,
            self.audio_input or NOTHING,
        )

    @property
    def dearest_output(self) -> Decimal:
        """The most that a token of the answer can cost."""
        return max(self.output, self.reasoning or NOTHING, self.audio_output or NOTHING)

    def bill(self, usage: Usage) -> Decimal | None:
        """What the call costs, or ``None`` where that cannot be told: it is billed by tokens, and
        of what was made or heard nobody has said how many that were, or what those of audio cost;
        or it is billed by searches, whose price nobody has said."""
        prices = self.at(usage.prompt_tokens)
        if prices.lacks_price_of(usage):
            return None
        made = (usage.characters and prices.character is None) or (
            usage.images and prices.image is None
        )
        if made and prices.dearest_output and not usage.completion_tokens:
            return None
        heard = usage.seconds and prices.second is None
        if heard and prices.dearest_input and not usage.prompt_tokens:
            return None
        return prices.cost(usage)

    def lacks_price_of(self, usage: Usage) -> bool:
        """Whether it is of a kind that is billed by itself, and that has no price here. Where
        nothing costs anything, that does not either."""
        audio = usage.audio_input_tokens and self.audio_input is None
        searches = usage.searches and self.request is None
        if (audio or searches) and self.dearest_input:
            return True
        spoken = usage.audio_output_tokens and self.audio_output is None
        return bool(spoken and self.dearest_output)

    def cost(self, usage: Usage) -> Decimal:
        """The exact price of a call in US dollars; never rounded."""
        if self.tiers:
            return self.at(usage.prompt_tokens).cost(usage)
        tokens = usage.prompt_tokens * self.input + usage.completion_tokens * self.output
        if usage.cached_tokens:
            tokens += usage.cached_tokens * _beyond(self.cached_input, self.input)
        if usage.cache_write_tokens:
            tokens += self._beyond_input_for_writes(usage)
        if usage.audio_input_tokens:
            tokens += self._beyond_input_for_audio(usage)
        if usage.reasoning_tokens:
            tokens += usage.reasoning_tokens * _beyond(self.reasoning, self.output)
        if usage.audio_output_tokens:
            tokens += usage.audio_output_tokens * _beyond(self.audio_output, self.output)
        if usage.characters and self.character is not None:
            tokens += usage.characters * self.character
        return tokens / MILLION + self._cost_beside_tokens(usage)

    def _beyond_input_for_writes(self, usage: Usage) -> Decimal:
        written, for_an_hour = usage.cache_write_tokens, usage.cache_write_1h_tokens
        beyond = _beyond(self.cache_write, self.input)
        if not for_an_hour or self.cache_write_1h is None:
            return written * beyond
        long = self.cache_write_1h - self.input
        return (written - for_an_hour) * beyond + for_an_hour * long

    def _beyond_input_for_audio(self, usage: Usage) -> Decimal:
        beyond = _beyond(self.audio_input, self.input)
        heard = usage.audio_input_tokens
        if beyond < 0:
            # Nobody says how much of it came out of a cache: no token is cheaper for two reasons.
            uncached = usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens
            heard = min(heard, uncached)
        return heard * beyond

    def _cost_beside_tokens(self, usage: Usage) -> Decimal:
        cost = NOTHING if self.request is None else self.request * max(1, usage.searches)
        if usage.images and self.image is not None:
            cost += usage.images * self.image
        if usage.seconds and self.second is not None:
            cost += usage.seconds * self.second
        return cost


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTier:
    """What a request is billed at whose prompt has more tokens than ``above``."""

    above: int
    prices: Prices


# Nobody sends a bill for what is made on one's own machine.
FREE = Prices(input=NOTHING, output=NOTHING)


def _beyond(special: Decimal | None, ordinary: Decimal) -> Decimal:
    """What a special token costs more than the ordinary one that it was counted as."""
    return NOTHING if special is None else special - ordinary
