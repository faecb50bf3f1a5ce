from dataclasses import dataclass, field
from enum import StrEnum

from domain.models.prices import Prices
from domain.shared.ids import TeamId


class ModelKind(StrEnum):
    CHAT = "chat"
    EMBEDDING = "embedding"
    RERANK = "rerank"
    MODERATION = "moderation"
    IMAGE = "image"
    TRANSCRIPTION = "transcription"
    SPEECH = "speech"


class Capability(StrEnum):
    """What a model of kind ``chat`` can do besides reading and writing text."""

    TOOLS = "tools"
    IMAGES = "images"
    AUDIO = "audio"
    FILES = "files"
    JSON_SCHEMA = "json_schema"
    REASONING = "reasoning"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentLimits:
    """What one deployment takes at most, from all its callers together."""

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A public model name and the deployment that answers for it.

    ``owner`` is the team whose registry has it, ``None`` for a model of the configuration, which
    all teams share; a ``is_public`` model of a registry is served to the other teams too.
    ``context_length`` (prompt and answer together) and ``max_output_tokens`` are in tokens,
    ``None`` where the operator did not say; so are ``capabilities``, and then anything is tried.
    ``runs_here`` says that a call does not leave the machine. ``prices`` is ``None`` for an
    unpriced model, which is not the same as free.
    """

    name: str
    kind: ModelKind
    provider: str
    upstream_name: str
    owner: TeamId | None = None
    aliases: tuple[str, ...] = ()
    is_public: bool = True
    is_enabled: bool = True
    runs_here: bool = False
    capabilities: frozenset[Capability] | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    limits: DeploymentLimits | None = None
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

    def can(self, capability: Capability) -> bool:
        """Whether it is worth asking for this: known to work, or not known at all."""
        return self.capabilities is None or capability in self.capabilities
