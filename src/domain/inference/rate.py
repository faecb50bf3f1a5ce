from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a caller stands with one limit: ``reset_s`` is how many seconds it takes until all of
    it is there again."""

    limit: int
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """The tightest limit of each sort that the caller has; ``None`` where none is set."""

    requests: Standing | None = None
    tokens: Standing | None = None
