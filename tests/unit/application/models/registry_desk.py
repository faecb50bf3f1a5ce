"""The use cases of the registry over fakes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from application.models.applying.apply_registry import ApplyRegistry, ApplyRegistryCommand
from application.models.applying.registry_difference import Difference
from application.models.applying.wanted_registry import WantedRegistry
from application.models.pricing.wanted_prices import WantedPrices
from application.models.registry.models.entries import ModelDraft, ModelEntries
from application.models.registry.providers.bounds import ProviderBounds
from application.models.registry.providers.entries import (
    ProviderChange,
    ProviderDraft,
    ProviderEntries,
)
from application.models.registry.providers.update_provider import (
    UpdateProvider,
    UpdateProviderCommand,
)
from application.models.registry.references import References
from application.models.registry.routes.entries import RouteEntries
from application.shared.actor import Actor
from application.shared.auditing import Auditor
from domain.identity.permissions import SERVER_PERMISSIONS, Permission
from domain.models.prices import Prices
from domain.models.registry.model import Model
from domain.models.registry.provider import Provider
from domain.models.route import Route
from tests.builders import a_model, an_actor
from tests.fakes.clock import FrozenClock
from tests.fakes.guarding import TypeSchemas
from tests.fakes.ids import SequentialIds
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.pricing import InMemoryPricingUnitOfWork
from tests.fakes.registry import (
    FixedConfigurations,
    InMemoryRegistry,
    InMemoryRegistryUnitOfWork,
    RecordingLiveRegistry,
    RegistryState,
)
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.fakes.secret_box import ReversibleSecretBox

URL = "https://acme.example"
ADMIN = an_actor(permissions=frozenset(Permission) - SERVER_PERMISSIONS)


def a_draft(**configuration: Any) -> ProviderDraft:
    return ProviderDraft(
        name="acme",
        type="acme",
        configuration_and_secrets={"base_url": URL, "api_key": "k"} | configuration,
    )


@dataclass
class RegistryDesk:
    database: InMemoryRegistry = field(default_factory=InMemoryRegistry)
    live: RecordingLiveRegistry = field(default_factory=RecordingLiveRegistry)
    settings: InMemoryRuntimeSettings = field(default_factory=InMemoryRuntimeSettings)
    secrets: ReversibleSecretBox = field(default_factory=ReversibleSecretBox)
    catalog: InMemoryModelCatalog = field(
        default_factory=lambda: InMemoryModelCatalog(a_model(name="filed"))
    )

    def __post_init__(self) -> None:
        self.pricing = InMemoryPricingUnitOfWork(self.database)
        self.clock, self.ids = FrozenClock(), SequentialIds()
        self.auditor = Auditor(clock=self.clock, ids=self.ids)
        self.references = References(
            catalog=self.catalog, configurations=FixedConfigurations(), runtime=self.settings
        )

    @property
    def uow(self) -> InMemoryRegistryUnitOfWork:
        return InMemoryRegistryUnitOfWork(self.database)

    @property
    def kept(self) -> RegistryState:
        return self.database.committed

    @property
    def actions(self) -> list[str]:
        return [entry.action for entry in self.kept.audit]

    @property
    def providers(self) -> ProviderEntries:
        return ProviderEntries(
            bounds=ProviderBounds(configurations=FixedConfigurations(), runtime=self.settings),
            secrets=self.secrets,
            auditor=self.auditor,
            clock=self.clock,
            ids=self.ids,
        )

    @property
    def models(self) -> ModelEntries:
        return ModelEntries(
            references=self.references, auditor=self.auditor, clock=self.clock, ids=self.ids
        )

    @property
    def routes(self) -> RouteEntries:
        return RouteEntries(
            references=self.references,
            schemas=TypeSchemas(),
            auditor=self.auditor,
            clock=self.clock,
            ids=self.ids,
        )

    @property
    def prices(self) -> WantedPrices:
        return WantedPrices(auditor=self.auditor, clock=self.clock, ids=self.ids)

    async def provider(self, actor: Actor | None = None, **configuration: Any) -> Provider:
        async with self.uow as tx:
            made = await self.providers.add(tx, actor or an_actor(), a_draft(**configuration))
            await tx.commit()
        return made

    async def model(self, draft: ModelDraft) -> Model:
        async with self.uow as tx:
            made = await self.models.add(tx, an_actor(), draft)
            await tx.commit()
        return made

    async def change(
        self, provider: Provider, actor: Actor | None = None, **change: Any
    ) -> Provider:
        use_case = UpdateProvider(
            uow=self.uow, entries=self.providers, references=self.references, live=self.live
        )
        command = UpdateProviderCommand(
            actor=actor or an_actor(), which=provider.id, change=ProviderChange(**change)
        )
        return (await use_case(command)).provider

    async def apply(
        self,
        *models: ModelDraft,
        routes: tuple[Route, ...] = (),
        providers: tuple[ProviderDraft, ...] | None = None,
        prices: Mapping[str, Prices] | None = None,
        lines: Mapping[tuple[str, str], int] | None = None,
        **options: bool,
    ) -> list[str]:
        wanted = WantedRegistry(
            providers=(a_draft(),) if providers is None else providers,
            models=models,
            routes=routes,
            prices=prices or {},
            lines=lines or {},
        )
        use_case = ApplyRegistry(
            uow=self.pricing,
            providers=self.providers,
            models=self.models,
            routes=self.routes,
            prices=self.prices,
            live=self.live,
        )
        command = ApplyRegistryCommand(actor=an_actor(), wanted=wanted, **options)
        return [_told(difference) for difference in await use_case(command)]


def _told(difference: Difference) -> str:
    fields = ", ".join(field.field for field in difference.fields)
    told = f"{difference.deed} {difference.what} {difference.name}"
    return f"{told} ({fields})" if fields else told
