from dataclasses import dataclass
from decimal import Decimal

from application.inference.call_policy import CallWishes
from application.inference.ports import Operation
from application.inference.routing.planner import Planner
from application.models.ports import ModelCatalog
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.inference.budget import CallSize
from domain.inference.routing.standing import ASSUMED_OUTPUT_TOKENS
from domain.inference.token_estimate import BYTES_PER_TOKEN
from domain.models.prices import Prices
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.errors import FieldError, InvalidError
from domain.shared.usage import Usage

# What UTF-8 takes for a character at most, and no token stands for less than a byte.
BYTES_PER_CHARACTER = 4
MAX_INPUT = 100_000_000
MAX_OUTPUT = 10_000_000
MAX_CHOICES = 128
# More than any clock of a recording tells.
SECONDS_PLACES = 9

_OPERATIONS = {
    ModelKind.CHAT: Operation.CHAT,
    ModelKind.EMBEDDING: Operation.EMBEDDING,
    ModelKind.RERANK: Operation.RERANK,
    ModelKind.MODERATION: Operation.MODERATION,
    ModelKind.IMAGE: Operation.IMAGE,
    ModelKind.TRANSCRIPTION: Operation.TRANSCRIPTION,
    ModelKind.SPEECH: Operation.SPEECH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictCostQuery:
    """A call that somebody might make: of a prompt with so many tokens or characters, or of audio
    that lasts so long, with ``n`` answers of at most ``max_output_tokens`` each."""

    actor: Actor
    model: str
    input_tokens: int | None = None
    input_characters: int | None = None
    seconds: Decimal = Decimal(0)
    max_output_tokens: int | None = None
    n: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPrediction:
    """US dollars that a deployment would take. The ``low`` is for a prompt out of its provider's
    cache and an answer of a single token, the ``worst`` is the most that it can cost; a budget,
    which knows bytes and no tokens, may set aside more. All are ``None`` for a model without a
    price, of which nobody knows; but for the last, also for what is billed by tokens that nobody
    can foresee, such as those of speech."""

    model: ServedModel
    low: Decimal | None = None
    expected: Decimal | None = None
    worst: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictCost:
    """Says what a call would cost, for each deployment that may answer it, in the order in which
    they are tried. Nothing is called."""

    planner: Planner
    catalog: ModelCatalog

    async def __call__(self, query: PredictCostQuery) -> tuple[CostPrediction, ...]:
        query.actor.require(Permission.INVOKE_MODELS)
        _check(query)
        plan = self.planner.plan(self._wishes(query))
        models = (plan.first, *plan.others, *plan.fallbacks)
        unique = {(model.owner, model.name): model for model in models}
        return tuple(_predicted(model, query) for model in unique.values())

    def _wishes(self, query: PredictCostQuery) -> CallWishes:
        team_id = query.actor.team_id
        found = self.catalog.find(query.model, team_id) or self.catalog.route(query.model, team_id)
        kind = ModelKind.CHAT if found is None else found.kind
        return CallWishes(
            actor=query.actor,
            operation=_OPERATIONS[kind],
            model=query.model,
            max_output_tokens=query.max_output_tokens,
            prompt_bytes=_tokens(query) * BYTES_PER_TOKEN,
            choices=query.n,
        )


def _predicted(model: ServedModel, query: PredictCostQuery) -> CostPrediction:
    prices = model.prices
    if prices is None:
        return CostPrediction(model=model)
    beside = _beside_tokens(model, query)
    size = CallSize(
        body_bytes=_most_tokens(query),
        expected=beside,
        choices=query.n,
        max_output=query.max_output_tokens,
    )
    return CostPrediction(
        model=model,
        low=_cost(prices, model, query, beside, answered=1, is_cached=True),
        expected=_cost(prices, model, query, beside, answered=ASSUMED_OUTPUT_TOKENS),
        worst=size.worst_cost(model),
    )


def _cost(
    prices: Prices,
    model: ServedModel,
    query: PredictCostQuery,
    beside: Usage,
    *,
    answered: int,
    is_cached: bool = False,
) -> Decimal | None:
    prompt = _tokens(query)
    most = query.max_output_tokens or model.max_output_tokens or answered
    writes = model.kind is ModelKind.CHAT
    is_cheaper = is_cached and prices.at(prompt).cached_input is not None
    return prices.bill(
        Usage(
            prompt_tokens=prompt,
            cached_tokens=prompt if is_cheaper else 0,
            completion_tokens=min(answered, most) * query.n if writes else 0,
            images=beside.images,
            seconds=beside.seconds,
            characters=beside.characters,
        )
    )


def _beside_tokens(model: ServedModel, query: PredictCostQuery) -> Usage:
    speaks = model.kind is ModelKind.SPEECH
    return Usage(
        images=query.n if model.kind is ModelKind.IMAGE else 0,
        characters=_characters(query) if speaks else 0,
        seconds=query.seconds if model.kind is ModelKind.TRANSCRIPTION else Decimal(0),
    )


def _characters(query: PredictCostQuery) -> int:
    if query.input_characters is not None:
        return query.input_characters
    return (query.input_tokens or 0) * BYTES_PER_TOKEN


def _tokens(query: PredictCostQuery) -> int:
    if query.input_tokens is not None:
        return query.input_tokens
    return -(-(query.input_characters or 0) // BYTES_PER_TOKEN)


def _most_tokens(query: PredictCostQuery) -> int:
    if query.input_tokens is not None:
        return query.input_tokens
    return (query.input_characters or 0) * BYTES_PER_CHARACTER


def _check(query: PredictCostQuery) -> None:
    if not _is_length(query.seconds):
        raise _invalid("seconds", f"must be a number of at most {SECONDS_PLACES} decimal places")
    for name, value, least, most in (
        ("input_tokens", query.input_tokens, 0, MAX_INPUT),
        ("input_characters", query.input_characters, 0, MAX_INPUT),
        ("seconds", query.seconds, 0, MAX_INPUT),
        ("max_output_tokens", query.max_output_tokens, 1, MAX_OUTPUT),
        ("n", query.n, 1, MAX_CHOICES),
    ):
        if value is not None and not least <= value <= most:
            raise _invalid(name, f"must be between {least} and {most}")
    if (query.input_tokens is None) is (query.input_characters is None) and not query.seconds:
        raise _invalid("input_tokens", "or 'input_characters' must be given, and not both")


def _is_length(seconds: Decimal) -> bool:
    exponent = seconds.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -SECONDS_PLACES


def _invalid(name: str, message: str) -> InvalidError:
    return InvalidError(f"'{name}' {message}.", param=name, errors=(FieldError(name, message),))
