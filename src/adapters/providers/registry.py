import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from application.inference.ports import ModelProvider, ModelProviders
from domain.models.served_model import ServedModel


class HostedStatus(Protocol):
    """``state`` is ``loading``, ``ready`` or ``failed``; ``reason`` says why it failed."""

    @property
    def state(self) -> str: ...

    @property
    def reason(self) -> str | None: ...


@runtime_checkable
class ModelHost(Protocol):
    """A provider that has its models in this process."""

    def status(self) -> Mapping[str, HostedStatus]: ...


@dataclass(frozen=True, slots=True)
class ConfiguredProviders(ModelProviders):
    """The providers of the configuration by name, started and stopped together."""

    by_name: Mapping[str, ModelProvider]

    def get(self, model: ServedModel) -> ModelProvider:
        return self.by_name[model.provider]

    async def start(self) -> None:
        for provider in self.by_name.values():
            await provider.start()

    async def stop(self) -> None:
        await asyncio.gather(*(provider.stop() for provider in self.by_name.values()))

    def hosted_models(self) -> dict[str, HostedStatus]:
        """The state of every model that runs in this process."""
        return {
            name: status
            for provider in self.by_name.values()
            if isinstance(provider, ModelHost)
            for name, status in provider.status().items()
        }
