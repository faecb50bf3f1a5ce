"""The models that come with Stoa, and what is served when nobody configured anything."""

from dataclasses import dataclass
from decimal import Decimal

from adapters.catalog.definitions import LoadedCatalog
from adapters.providers.local.configuration import LOCAL, LocalProviderDefinition
from domain.models.prices import Prices
from domain.models.served_model import ModelKind, ServedModel

EMBEDDED_PREFIX = "embedded:"
LOCAL_PROVIDER_NAME = "local"

# Nobody sends a bill for tokens that are made on one's own machine, so a local model without prices
# in the file is free, not unpriced.
FREE = Prices(input=Decimal(0), output=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedModel:
    kind: ModelKind
    context_length: int
    aliases: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[ModelKind, ...]:
        """All that it can be served as: vectors also tell what is like a query."""
        if self.kind is ModelKind.EMBEDDING:
            return ModelKind.EMBEDDING, ModelKind.RERANK
        return (self.kind,)


EMBEDDED_MODELS = {
    "smollm2-135m": EmbeddedModel(kind=ModelKind.CHAT, context_length=4096, aliases=("smollm2",)),
    "all-minilm-l6-v2": EmbeddedModel(kind=ModelKind.EMBEDDING, context_length=512),
}


def embedded_catalog() -> LoadedCatalog:
    return LoadedCatalog(
        providers=(LocalProviderDefinition(name=LOCAL_PROVIDER_NAME),),
        types={LOCAL_PROVIDER_NAME: LOCAL.name},
        models=tuple(
            ServedModel(
                name=name,
                aliases=model.aliases,
                kind=model.kind,
                provider=LOCAL_PROVIDER_NAME,
                upstream_name=EMBEDDED_PREFIX + name,
                context_length=model.context_length,
                prices=FREE,
            )
            for name, model in EMBEDDED_MODELS.items()
        ),
    )
