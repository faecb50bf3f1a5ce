from dataclasses import dataclass, field
from enum import StrEnum

from domain.models.served_model import ModelKind
from domain.shared.ids import TeamId


class Strategy(StrEnum):
    """How a route chooses among the targets that can answer a call."""

    PRIORITY = "priority"
    WEIGHTED = "weighted"
    LEAST_BUSY = "least_busy"
    LOWEST_LATENCY = "lowest_latency"
    LOWEST_COST = "lowest_cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A model of the same kind that a route may send a call to. A smaller ``priority`` is tried
    first; ``weight`` is its share among its equals."""

    model: str
    weight: int = 1
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """``attempts`` are all attempts of a call together, over all targets and fallbacks. The pause
    before another attempt at the same target doubles from ``backoff_ms`` up to
    ``max_backoff_ms``, with jitter; a provider's ``retry-after`` wins if it is not longer than
    that."""

    attempts: int = 3
    backoff_ms: int = 200
    max_backoff_ms: int = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTimeouts:
    """Limits in seconds; ``None`` leaves it to the provider's own."""

    first_token: float | None = None
    between_tokens: float | None = None
    total: float | None = None


class SplitBy(StrEnum):
    USER = "user"
    CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One side of a split: its share of the traffic, and the model that gets it."""

    name: str
    model: str
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Traffic divided for comparison. Whoever is in an arm stays there: the choice is a hash of
    ``salt`` and the user or conversation."""

    by: SplitBy
    arms: tuple[Arm, ...]
    salt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """How long equal calls get the same answer, in seconds; ``semantic_threshold`` is the cosine
    similarity from which two questions count as one, ``None`` for equal ones only."""

    ttl_s: int
    semantic_threshold: float | None = None


class PiiAction(StrEnum):
    REDACT = "redact"
    REFUSE = "refuse"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailPolicy:
    """What is looked for in what goes in and comes out. ``max_input`` is in characters;
    ``pii`` names kinds of personal data (``email``, ``phone``, ``credit_card``, ``iban``,
    ``ip_address``, ``secret``); ``denied`` are words and phrases, whatever their case."""

    max_input: int | None = None
    denied: tuple[str, ...] = ()
    pii: tuple[str, ...] = ()
    pii_action: PiiAction = PiiAction.REDACT
    output_schema: dict[str, object] | None = None
    on_input: bool = True
    on_output: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A public name behind which several models stand.

    ``fallbacks`` are names of models or routes that take over, in order, when no target could
    answer before the first byte. ``hedge_after_ms`` asks a second target when the first has not
    begun to answer by then. ``health_check_s`` is how often its deployments are asked for a sign of
    life while they are left alone, 0 for never; ``None`` leaves it to the setting.
    """

    name: str
    kind: ModelKind
    targets: tuple[Target, ...]
    owner: TeamId | None = None
    aliases: tuple[str, ...] = ()
    is_public: bool = True
    is_enabled: bool = True
    strategy: Strategy = Strategy.PRIORITY
    fallbacks: tuple[str, ...] = ()
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeouts: RouteTimeouts = field(default_factory=RouteTimeouts)
    hedge_after_ms: int | None = None
    health_check_s: int | None = None
    split: Split | None = None
    cache: CachePolicy | None = None
    guardrails: GuardrailPolicy | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a client may ask for, the public one first."""
        return (self.name, *self.aliases)
