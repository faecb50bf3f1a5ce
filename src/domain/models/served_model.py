from dataclasses import dataclass, field
from enum import StrEnum

from domain.models.prices import Prices


class ModelKind(StrEnum):
    CHAT = "chat"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A public model name and the deployment that answers for it.

    ``context_length`` is in tokens (prompt and answer together) and ``None`` where the operator
    did not say. ``prices`` is ``None`` for an unpriced model, which is not the same as free.
    """

    name: str
    kind: ModelKind
    provider: str
    upstream_name: str
    aliases: tuple[str, ...] = ()
    context_length: int | None = None
    prices: Prices | None = None
    options: dict[str, object] = field(default_factory=dict)

    @property
    def deployment(self) -> str:
        """``provider/upstream name``: what the ledger records as having answered."""
        return f"{self.provider}/{self.upstream_name}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a client may ask for, the public one first."""
        return (self.name, *self.aliases)
