from dataclasses import dataclass

from domain.models.registry.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProvider:
    """``problem`` is why this node cannot use it as it is."""

    provider: Provider
    problem: str | None
