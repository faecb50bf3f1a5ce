"""What the configuration says of providers, before anything is built from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from domain.models.served_model import ServedModel


class ProviderType(StrEnum):
    LOCAL = "local"
    OPENAI_COMPATIBLE = "openai-compatible"
    SCRIPTED = "scripted"


class TransportChoice(StrEnum):
    POOL = "pool"
    AIOHTTP = "aiohttp"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutsDefinition:
    """Limits in seconds; ``None`` is no limit."""

    connect: float | None = 10.0
    first_byte: float | None = 600.0
    between_bytes: float | None = 300.0
    total: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalProviderDefinition:
    """Models that run in this process."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedProviderDefinition:
    """Deterministic answers, for tests and demonstrations."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICompatibleProviderDefinition:
    """A server that speaks OpenAI's API. ``transport`` is ``None`` where the file leaves the choice
    to Stoa."""

    name: str
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeouts: TimeoutsDefinition = field(default_factory=TimeoutsDefinition)
    transport: TransportChoice | None = None
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None


ProviderDefinition = (
    LocalProviderDefinition | OpenAICompatibleProviderDefinition | ScriptedProviderDefinition
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCatalog:
    """``source`` is the file that was read, or ``None`` for the embedded catalog."""

    providers: tuple[ProviderDefinition, ...]
    models: tuple[ServedModel, ...]
    source: Path | None = None
