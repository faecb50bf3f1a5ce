from dataclasses import dataclass
from decimal import Decimal

from domain.shared.usage import Usage

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """US dollars per million tokens.

    Cached input tokens are part of the prompt tokens and are billed at ``cached_input`` instead of
    ``input``; without a cached price they cost the same as any other.
    """

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None

    def cost(self, usage: Usage) -> Decimal:
        """The exact price of a call in US dollars; never rounded."""
        cached_price = self.input if self.cached_input is None else self.cached_input
        fresh = usage.prompt_tokens - usage.cached_tokens
        total = (
            fresh * self.input
            + usage.cached_tokens * cached_price
            + usage.completion_tokens * self.output
        )
        return total / MILLION
