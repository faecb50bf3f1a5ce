from dishka import Provider, Scope, alias, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.catalog.definitions import LoadedCatalog
from adapters.postgres.inference.cost_reader import PostgresCostReader
from adapters.postgres.models.price_book import PostgresPriceBookMemory
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.prices.genai_price_book import GenaiPriceBook
from adapters.providers.definition import ProviderDefinition
from adapters.providers.http_configuration import HttpConfiguration
from application.inference.costs.ports import CostReader
from application.models.pricing.live_prices import LivePrices, Place
from application.models.pricing.ports import (
    PriceBook,
    PriceBookMemory,
    PricingUnitOfWork,
    ServedPrices,
)
from application.models.registry.ports import ProviderConfigurations
from application.shared.ports import Clock


class PricesProvider(Provider):
    """What models cost, who says so, and what calls have cost."""

    scope = Scope.APP

    memory = provide(PostgresPriceBookMemory, provides=PriceBookMemory)
    served_prices = alias(source=LivePrices, provides=ServedPrices)
    unit_of_work = provide(PostgresUnitOfWork, provides=PricingUnitOfWork, scope=Scope.REQUEST)

    @provide
    def cost_reader(self, engine: AsyncEngine) -> CostReader:
        return PostgresCostReader(engine)

    @provide
    def book(self, memory: PriceBookMemory) -> PriceBook:
        return GenaiPriceBook(memory)

    @provide
    def live_prices(
        self,
        book: PriceBook,
        clock: Clock,
        loaded: LoadedCatalog,
        configurations: ProviderConfigurations,
    ) -> LivePrices:
        places = {
            definition.name: Place(
                provider_type=loaded.types.get(definition.name, ""),
                base_url=_base_url(definition),
                is_local=configurations.is_of_the_server(loaded.types.get(definition.name, "")),
            )
            for definition in loaded.providers
        }
        return LivePrices(book, clock, places=places, models=loaded.models)


def _base_url(definition: ProviderDefinition) -> str | None:
    """Providers without an address have none, and the type of the others says what they are."""
    http = getattr(definition, "http", None)
    return http.base_url if isinstance(http, HttpConfiguration) else None
