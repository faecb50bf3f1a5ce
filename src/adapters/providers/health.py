from collections.abc import Awaitable, Callable

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
