"""Budgets: what calls may cost, what is set aside for them, and what they have cost.

A call is made only when its worst case fits: that is held, and given back when the call has its
true cost. What a call costs belongs to the period in which it was made, however late it ends.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from domain.identity.allowance import BudgetTerms, Subject, SubjectKind
from domain.inference.token_estimate import TokenEstimate
from domain.models.prices import MILLION, Prices
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.errors import BudgetExhaustedError
from domain.shared.ids import CallId, KeyId, TeamId, UserId
from domain.shared.usage import NO_USAGE, Usage

THRESHOLDS = (50, 80, 90, 100)

# More than any provider is known to count for one image in a request.
TOKENS_PER_ATTACHMENT = 50_000
# What a model may answer of which nobody has said how much it can.
UNKNOWN_OUTPUT_TOKENS = 128_000
# No codec that speech is sent in needs less.
LEAST_BYTES_PER_SECOND = 500

_NOTHING = Decimal(0)
_WITHOUT_OUTPUT = frozenset({ModelKind.EMBEDDING, ModelKind.RERANK, ModelKind.MODERATION})


# Not frozen like other values: one is made for every call, and that would double what it costs.
@dataclass(slots=True, kw_only=True)
class CallSize:
    """What a request says of its own cost. ``attachments`` are its parts that are no text (images,
    audio, files), ``max_output`` is the limit of each of the ``choices`` answers. ``prompt_bytes``
    is how much of the body is a prompt, where not all of it is; ``expected`` is what the request
    says of itself beside tokens."""

    body_bytes: int
    prompt_bytes: int | None = None
    expected: Usage = NO_USAGE
    attachments: int = 0
    choices: int = 1
    max_output: int | None = None

    def worst_cost(self, model: ServedModel) -> Decimal | None:
        """The most that the call can cost; ``None`` for a model without a price."""
        prices = model.prices
        if prices is None:
            return None
        # A token stands for a byte at least, and what providers put around messages is less than
        # what JSON does.
        prompt_bytes = self.body_bytes if self.prompt_bytes is None else self.prompt_bytes
        prompt = prompt_bytes + self.attachments * TOKENS_PER_ATTACHMENT
        output = 0
        if model.kind not in _WITHOUT_OUTPUT:
            context = model.context_length
            most = self.max_output or model.max_output_tokens or context
            output = (most or UNKNOWN_OUTPUT_TOKENS) * self.choices
            if context is not None:
                prompt = min(prompt, context * self.choices)
        worst = _NOTHING
        for one in prices.up_to(prompt):
            tokens = prompt * one.dearest_input + output * one.dearest_output
            worst = max(worst, tokens / MILLION + self._worst_cost_beside_tokens(one))
        return worst

    def question_cost(self, model: ServedModel) -> Decimal:
        """What is billed, by estimate, of an attempt that was asked in vain."""
        prompt_bytes = self.body_bytes if self.prompt_bytes is None else self.prompt_bytes
        estimate = TokenEstimate.of(
            prompt_bytes, max_output=None, context_length=model.context_length
        )
        asked = replace(self.expected, prompt_tokens=estimate.prompt, counted=True)
        cost = None if model.prices is None else model.prices.bill(asked)
        return cost or _NOTHING

    def _worst_cost_beside_tokens(self, prices: Prices) -> Decimal:
        cost = (prices.request or _NOTHING) * max(1, self.expected.searches)
        if prices.image is not None:
            cost += prices.image * max(self.choices, self.expected.images)
        if prices.character is not None:
            cost += prices.character * (self.expected.characters or self.body_bytes) / MILLION
        if prices.second is not None:
            longest = Decimal(self.body_bytes) / LEAST_BYTES_PER_SECOND
            cost += prices.second * (self.expected.seconds or longest)
        return cost


# Not frozen like other values: one is made for every call, and that would double what it costs.
@dataclass(slots=True, kw_only=True)
class Hold:
    """What is set aside for one call, in all budgets of its team, its user and its key. ``terms``
    are those that its process knows of."""

    call_id: CallId
    team_id: TeamId
    user_id: UserId | None
    key_id: KeyId | None
    amount: Decimal
    at: datetime
    terms: tuple[BudgetTerms, ...] = ()

    @property
    def subjects(self) -> tuple[Subject, ...]:
        ids = {
            SubjectKind.TEAM: self.team_id,
            SubjectKind.USER: self.user_id,
            SubjectKind.KEY: self.key_id,
        }
        return tuple(Subject(kind, found) for kind, found in ids.items() if found is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The account of a budget in the period that began at ``starts_at``. ``threshold`` is the
    highest one, in percent, that was told of."""

    subject: Subject
    terms: BudgetTerms
    starts_at: datetime | None
    settled: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    threshold: int = 0

    @property
    def remaining(self) -> Decimal:
        return max(self.terms.amount - self.settled - self.held, Decimal(0))

    def has_room_for(self, amount: Decimal) -> bool:
        """A soft budget always has."""
        return not self.terms.hard or self.settled + self.held + amount <= self.terms.amount

    def hold(self, amount: Decimal) -> "Budget":
        """Raises ``BudgetExhaustedError`` when there is no room."""
        if not self.has_room_for(amount):
            raise exhausted(self, amount)
        return replace(self, held=self.held + amount)

    def give_back(self, amount: Decimal) -> "Budget":
        return replace(self, held=self.held - amount)

    def charge(self, cost: Decimal) -> tuple["Budget", tuple[int, ...]]:
        """The account after that, and the thresholds that it has reached by it. A charge may be
        negative: it corrects an earlier one."""
        settled = self.settled + cost
        reached = highest_threshold(settled, self.terms.amount)
        crossed = tuple(t for t in THRESHOLDS if self.threshold < t <= reached)
        return replace(self, settled=settled, threshold=max(self.threshold, reached)), crossed


def highest_threshold(settled: Decimal, amount: Decimal) -> int:
    """The highest threshold that the spending has reached, or 0."""
    if settled <= 0:
        return 0
    return max((t for t in THRESHOLDS if settled * 100 >= amount * t), default=0)


def exhausted(budget: Budget, wanted: Decimal) -> BudgetExhaustedError:
    """The refusal of a call that may cost so much."""
    terms = budget.terms
    whose = {
        SubjectKind.TEAM: "your team",
        SubjectKind.USER: "your user",
        SubjectKind.KEY: "this API key",
    }[budget.subject.kind]
    total = "in total" if terms.period == "total" else f"per {terms.period}"
    return BudgetExhaustedError(
        f"You exceeded your current quota: the budget of {whose} is ${terms.amount:f} {total}, "
        f"of which ${budget.remaining:f} is left, and this call may cost up to ${wanted:f}. "
        "A smaller limit of output tokens makes it cost less."
    )
