from collections.abc import Awaitable, Callable

from adapters.providers.live.registry_providers import RegistryProviders
from adapters.providers.registry import ConfiguredProviders
from application.operations.ports import ComponentHealth, HealthProbe, HealthStatus


class LocalModelsProbe(HealthProbe):
    """Looks at which local models are in memory."""

    name = "local_models"

    def __init__(self, providers: Callable[[], Awaitable[ConfiguredProviders]]) -> None:
        self._providers = providers

    async def check(self) -> ComponentHealth:
        models = (await self._providers()).hosted_models()
        failed = any(status.state == "failed" for status in models.values())
        told = (f"{name}: {status.reason or status.state}" for name, status in models.items())
        return ComponentHealth(
            status=HealthStatus.DEGRADED if failed else HealthStatus.HEALTHY,
            detail="; ".join(told) or None,
        )


class RegistryProvidersProbe(HealthProbe):
    """Counts the providers of teams that this process cannot use as they are set up. It names none:
    who sees this need not be of their team."""

    name = "providers"

    def __init__(self, providers: Callable[[], Awaitable[RegistryProviders]]) -> None:
        self._providers = providers

    async def check(self) -> ComponentHealth:
        there, unusable = (await self._providers()).standing
        if not unusable:
            return ComponentHealth()
        detail = f"{unusable} of {there} providers of teams cannot be used and are tried again"
        return ComponentHealth(status=HealthStatus.DEGRADED, detail=detail)
