from application.models.applying.apply_registry import ApplyRegistry
from application.models.applying.read_registry import ReadRegistry
from application.models.pricing.list_prices import ListPrices, ListSetPrices
from application.models.pricing.look_up_price import LookUpPrice
from application.models.pricing.remove_price import RemovePrice
from application.models.pricing.set_price import SetPrice
from application.models.registry.models.create_model import CreateModel
from application.models.registry.models.delete_model import DeleteModel
from application.models.registry.models.get_registered_model import GetRegisteredModel
from application.models.registry.models.list_registered_models import ListRegisteredModels
from application.models.registry.models.update_model import UpdateModel
from application.models.registry.providers.create_provider import CreateProvider
from application.models.registry.providers.delete_provider import DeleteProvider
from application.models.registry.providers.get_provider import GetProvider
from application.models.registry.providers.list_offers import ListOffers
from application.models.registry.providers.list_providers import ListProviders
from application.models.registry.providers.try_connection import TryConnection
from application.models.registry.providers.update_provider import UpdateProvider
from application.models.registry.routes.create_route import CreateRoute
from application.models.registry.routes.delete_route import DeleteRoute
from application.models.registry.routes.get_route import GetRoute
from application.models.registry.routes.list_routes import ListRoutes
from application.models.registry.routes.update_route import UpdateRoute

REGISTRY_USE_CASES = (
    CreateModel,
    DeleteModel,
    GetRegisteredModel,
    ListRegisteredModels,
    UpdateModel,
    CreateProvider,
    DeleteProvider,
    GetProvider,
    ListOffers,
    ListProviders,
    TryConnection,
    UpdateProvider,
    CreateRoute,
    DeleteRoute,
    GetRoute,
    ListRoutes,
    UpdateRoute,
    ApplyRegistry,
    ReadRegistry,
    ListPrices,
    ListSetPrices,
    LookUpPrice,
    RemovePrice,
    SetPrice,
)
