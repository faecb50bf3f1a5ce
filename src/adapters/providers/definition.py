"""What the folder of a provider says of its type: how its configuration is read, and how a provider
is built from that."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self, TypeVar

from application.inference.ports import ModelProvider
from application.shared.ports import Clock, IdGenerator
from domain.models.served_model import ServedModel

Choice = TypeVar("Choice", bound=StrEnum)


class ConfigurationFields(Protocol):
    """A mapping of the configuration. Each reader returns ``None`` for what is absent or wrong, and
    notes what is wrong with its line; ``end`` notes the keys that nobody asked for."""

    def text(self, key: str, *, required: bool = False) -> str | None: ...

    def decimal(self, key: str, *, required: bool = False) -> Decimal | None: ...

    def whole(self, key: str) -> int | None:
        """A whole number above zero."""
        ...

    def flag(self, key: str) -> bool | None: ...

    def choice(
        self, key: str, options: type[Choice], *, required: bool = False
    ) -> Choice | None: ...

    def choices(self, key: str, options: type[Choice]) -> tuple[Choice, ...] | None:
        """A list of them without repetition."""
        ...

    def fields(self, key: str) -> Self | None:
        """A nested mapping."""
        ...

    def text_pairs(self, key: str) -> dict[str, str]:
        """A nested mapping whose keys are free and whose values are texts."""
        ...

    def has(self, key: str) -> bool: ...

    def note(self, key: str, message: str) -> None:
        """Note a problem with a key, at its line."""
        ...

    def end(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a provider may need of the process that it lives in."""

    clock: Clock
    ids: IdGenerator
    local_threads: int | None
    local_queue_size: int


class ProviderDefinition(Protocol):
    """What the configuration says of one provider."""

    @property
    def name(self) -> str: ...

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        """The provider for these models, not started. Raises ``InvalidError`` for what it cannot
        serve."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderType:
    """A value of ``type`` in the configuration. ``keys`` are the keys of its own; ``read`` gets the
    provider's fields, its name, and the directory that relative paths start from.

    ``secret_keys`` are those whose values nobody may read again, once they are in a registry.
    ``runs_here`` says that calls never leave the machine; ``holds_models`` that a provider is
    built for its models, and has to be built again when they change.
    """

    name: str
    keys: tuple[str, ...]
    read: Callable[[ConfigurationFields, str, Path], ProviderDefinition]
    secret_keys: frozenset[str] = frozenset({"api_key", "headers", "proxy"})
    runs_here: bool = False
    holds_models: bool = False
