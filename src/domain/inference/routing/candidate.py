from dataclasses import dataclass

from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model that can answer a call, and what a route says of it. ``priority`` is better the
    smaller it is; ``weight`` is its share among its equals."""

    model: ServedModel
    weight: int = 1
    priority: int = 0
