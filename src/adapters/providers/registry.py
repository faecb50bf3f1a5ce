import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from application.inference.ports import ModelProvider, ModelProviders


@dataclass(frozen=True, slots=True)
class ConfiguredProviders(ModelProviders):
    """The providers of the configuration by name, started and stopped together."""

    by_name: Mapping[str, ModelProvider]

    def get(self, name: str) -> ModelProvider:
        return self.by_name[name]

    async def start(self) -> None:
        for provider in self.by_name.values():
            await provider.start()

    async def stop(self) -> None:
        await asyncio.gather(*(provider.stop() for provider in self.by_name.values()))
