from dishka import FromDishka
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from adapters.http.parameters import IdParameter, PageParameter, PageSizeParameter, parse_id
from adapters.http.providers.schemas import (
    ConnectionView,
    CreateProviderBody,
    OffersView,
    OfferView,
    ProviderPage,
    ProviderView,
    UpdateProviderBody,
)
from application.models.registry.ports import RegistrySort
from application.models.registry.providers.create_provider import (
    CreateProvider,
    CreateProviderCommand,
)
from application.models.registry.providers.delete_provider import (
    DeleteProvider,
    DeleteProviderCommand,
)
from application.models.registry.providers.get_provider import GetProvider, GetProviderQuery
from application.models.registry.providers.list_offers import ListOffers, ListOffersQuery
from application.models.registry.providers.list_providers import (
    ListProviders,
    ListProvidersQuery,
)
from application.models.registry.providers.try_connection import (
    TryConnection,
    TryConnectionCommand,
)
from application.models.registry.providers.update_provider import (
    UpdateProvider,
    UpdateProviderCommand,
)
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.models.registry.errors import ProviderNotFoundError
from domain.shared.ids import ProviderId


class ProvidersController(Controller):
    path = "/providers"
    tags = ("models",)

    @post(operation_id="create_provider", summary="Set up a provider")
    async def create_provider(
        self,
        data: JSONBody[CreateProviderBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[CreateProvider],
    ) -> ProviderView:
        """Sets up a provider in the team's registry. Its `credentials` are stored encrypted, and no
        answer ever shows them. Addresses inside the server's own network need the permission
        `server.manage`, unless the setting `allow_private_providers` is on; those where clouds keep
        credentials are never taken."""
        command = CreateProviderCommand(actor=actor, draft=data.to_draft())
        return ProviderView.of(await use_case(command))

    @get(operation_id="list_providers", summary="List the providers")
    async def list_providers(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListProviders],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
        sort: FromQuery[RegistrySort] = RegistrySort.NAME,
    ) -> ProviderPage:
        """Lists the providers of the team's registry, with their credentials masked."""
        query = ListProvidersQuery(
            actor=actor, page=PageRequest(page=page, page_size=page_size), sort=sort
        )
        return ProviderPage.of(await use_case(query))

    @get("/{provider_id:str}", operation_id="get_provider", summary="Show a provider")
    async def get_provider(
        self,
        provider_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[GetProvider],
    ) -> ProviderView:
        """Shows a provider of the team's registry, with its credentials masked."""
        query = GetProviderQuery(actor=actor, which=_provider_id(provider_id))
        return ProviderView.of(await use_case(query))

    @patch("/{provider_id:str}", operation_id="update_provider", summary="Change a provider")
    async def update_provider(
        self,
        provider_id: IdParameter,
        data: JSONBody[UpdateProviderBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateProvider],
    ) -> ProviderView:
        """Changes what is given. Calls that are running end as they began. Whoever changes where
        requests go gives all `credentials` again."""
        command = UpdateProviderCommand(
            actor=actor, which=_provider_id(provider_id), change=data.to_change()
        )
        return ProviderView.of(await use_case(command))

    @delete("/{provider_id:str}", operation_id="delete_provider", summary="Remove a provider")
    async def delete_provider(
        self,
        provider_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[DeleteProvider],
    ) -> None:
        """Removes a provider that has no models, and its credentials with it."""
        await use_case(DeleteProviderCommand(actor=actor, which=_provider_id(provider_id)))

    @post(
        "/{provider_id:str}/test-connection",
        operation_id="test_provider_connection",
        summary="Test the connection to a provider",
        status_code=200,
    )
    async def test_connection(
        self,
        provider_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[TryConnection],
    ) -> ConnectionView:
        """Asks the provider which models it has, and tells whether it could be reached and let the
        server in, how long that took, and otherwise what is wrong."""
        command = TryConnectionCommand(actor=actor, which=_provider_id(provider_id))
        return ConnectionView.of(await use_case(command))

    @get(
        "/{provider_id:str}/offers",
        operation_id="list_provider_offers",
        summary="List what a provider offers",
    )
    async def list_offers(
        self,
        provider_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListOffers],
    ) -> OffersView:
        """Asks the provider which models it has, by the names that it gives them."""
        query = ListOffersQuery(actor=actor, which=_provider_id(provider_id))
        return OffersView(items=tuple(map(OfferView.of, await use_case(query))))


def _provider_id(text: str) -> ProviderId:
    return ProviderId(parse_id(text, ProviderNotFoundError))
