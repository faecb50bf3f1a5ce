import json
from dataclasses import dataclass, replace
from hashlib import sha256
from math import sqrt
from typing import Any

from application.inference.call_policy import DEFAULT_MODEL
from application.inference.invoke_model import InvokeModel
from application.inference.keeping.ports import Meaning
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import Operation
from application.shared.ports import IdGenerator
from domain.identity.model_patterns import ANY_MODEL
from domain.inference.errors import ProviderFailedError
from domain.inference.keeping.question import Likeness
from domain.shared.ids import CallId

# What the ledger shows, so that nobody looks for a client that made these calls.
ENDPOINT = "/v1/embeddings#answer-cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindMeaning:
    """Asks the team's default embedding model what a question means. That is a call of its own, at
    its own cost, in the name of whoever asked; it is no request of theirs, though, and needs no
    right to use that model."""

    invoke: InvokeModel
    ids: IdGenerator

    async def __call__(self, asked: InvokeModelCommand, likeness: Likeness) -> Meaning:
        """Raises ``StoaError``."""
        actor = asked.actor
        allowances = tuple(replace(one, limits=None) for one in actor.allowances)
        answer = await self.invoke(
            InvokeModelCommand(
                actor=replace(actor, allowed_models=ANY_MODEL, allowances=allowances),
                call_id=CallId(self.ids.new()),
                correlation_id=asked.correlation_id,
                operation=Operation.EMBEDDING,
                model=DEFAULT_MODEL,
                body=json.dumps({"model": DEFAULT_MODEL, "input": likeness.text}).encode(),
                local_only=asked.local_only,
                user=asked.user,
                tags=asked.tags,
                endpoint=ENDPOINT,
            )
        )
        model, vector = _read(answer.body)
        # Vectors of different models have nothing to do with each other.
        scope = sha256(likeness.scope + model.encode()).digest()
        return Meaning(scope=scope, vector=_of_length_one(vector))


def _read(body: bytes) -> tuple[str, list[float]]:
    try:
        answer: dict[str, Any] = json.loads(body)
        return str(answer.get("model")), [float(x) for x in answer["data"][0]["embedding"]]
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ProviderFailedError("The embedding model answered without a vector.") from error


def _of_length_one(vector: list[float]) -> tuple[float, ...]:
    length = sqrt(sum(x * x for x in vector))
    if not length:
        raise ProviderFailedError("The embedding model answered with a vector of no length.")
    return tuple(x / length for x in vector)
