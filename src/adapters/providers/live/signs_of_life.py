from collections.abc import Iterable, Mapping

import structlog

from adapters.providers.definition import ProviderDefinition
from adapters.providers.live.discovery import discover
from adapters.providers.live.registry_providers import RegistryProviders
from application.inference.routing.ports import DeploymentProbe
from application.shared.ports import Clock
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError

log = structlog.get_logger()


class ListingProbe(DeploymentProbe):
    """Asks providers which models they have."""

    def __init__(
        self,
        definitions: Iterable[ProviderDefinition],
        types: Mapping[str, str],
        registered: RegistryProviders,
        clock: Clock,
    ) -> None:
        """``definitions`` are those of the configuration, ``types`` their types by name."""
        self._definitions = {definition.name: definition for definition in definitions}
        self._types = types
        self._registered = registered
        self._clock = clock

    async def is_alive(self, model: ServedModel) -> bool:
        try:
            if model.owner is None:
                definition = self._definitions[model.provider]
                await discover(definition, self._types[model.provider], self._clock)
            else:
                await self._registered.offers_for(model)
        except StoaError as error:
            log.info("deployment.still_out", deployment=model.deployment, reason=error.code)
            return False
        return True
