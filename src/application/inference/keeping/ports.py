"""Answers that are kept to be given again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from application.inference.ports import Operation
from domain.models.served_model import ServedModel
from domain.shared.ids import TeamId
from domain.shared.usage import Usage

# Larger answers are not kept.
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """``blocks`` are those of a stream, or the one of an answer in one piece. ``model`` answered;
    ``worth`` is what that cost, ``None`` if the model has no price."""

    blocks: tuple[bytes, ...]
    content_type: str
    usage: Usage
    model: str
    kept_at: datetime
    finish_reason: str | None = None
    worth: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the question of an answer means. Vectors have the length one, and can be compared where
    ``scope`` is the same."""

    scope: bytes
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerToKeep:
    team_id: TeamId
    key: bytes
    answer: KeptAnswer
    expires_at: datetime
    meaning: Meaning | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """``similarity`` is the cosine of the two questions."""

    answer: KeptAnswer
    similarity: float


@dataclass(frozen=True, slots=True)
class Moment:
    """Answers count that have not expired ``at`` that time, and were not kept before ``since``."""

    at: datetime
    since: datetime

    def allows(self, kept: KeptAnswer) -> bool:
        return kept.kept_at >= self.since


class AnswerCache(Protocol):
    """Keeps answers, each for the team that got it. Reading raises ``UnavailableError`` when it
    takes longer than asking a model may be worth."""

    async def find(
        self, team_id: TeamId, keys: Sequence[bytes], moment: Moment
    ) -> tuple[bytes, KeptAnswer] | None:
        """The answer of the first of the keys that has one, and that key."""
        ...

    async def nearest(self, team_id: TeamId, meaning: Meaning, moment: Moment) -> Nearest | None:
        """The answer to the question of the scope that comes nearest, of the latest ones."""
        ...

    def keep(self, kept: AnswerToKeep) -> None:
        """Neither blocks nor fails: this process finds it at once, others soon, and what cannot be
        stored is not kept. It takes the place of an earlier answer of that key."""
        ...

    async def purge(self, at: datetime) -> int:
        """Remove what has expired, and the oldest of teams that have more than their share; returns
        how many there were."""
        ...


class Whereabouts(Protocol):
    """Where models run."""

    def identity(self, model: ServedModel) -> str:
        """Another one whenever something else may answer under the name of the model's provider:
        its address, its account, or how it is asked."""
        ...


class AnswerForms(Protocol):
    """Knows the formats in which the same thing is said in one piece and as a stream."""

    def recast(
        self, operation: Operation, question: bytes, kept: KeptAnswer, *, stream: bool
    ) -> tuple[bytes, ...] | None:
        """The blocks of the answer as the request wants it; ``None`` where the format does not
        allow that, or something would get lost."""
        ...
