"""What the use cases of the HTTP application find around them, all of it in memory."""

from collections.abc import Callable
from typing import Any

from dishka import Provider, Scope

from application.identity.authenticate import Authenticate, SessionAccess
from application.identity.joining.links import Links
from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.people.deactivation import Deactivation
from application.identity.people.member_keys import MemberKeys
from application.identity.people.reset_links import ResetLinks
from application.identity.ports import Credentials, IdentityUnitOfWork, KeyActivity
from application.inference.allowance_ports import BudgetReader, RateLimits
from application.inference.call_ports import CallReader
from application.inference.count_api_request import CountApiRequest
from application.inference.show_limits import ShowLimits
from application.models.ports import ModelCatalog
from application.models.registry.models.entries import ModelEntries
from application.models.registry.ports import (
    LiveRegistry,
    ProviderConfigurations,
    ProviderOffers,
    RegistryUnitOfWork,
    SchemaCheck,
)
from application.models.registry.providers.bounds import ProviderBounds
from application.models.registry.providers.entries import ProviderEntries
from application.models.registry.references import References
from application.models.registry.routes.entries import RouteEntries
from application.operations.check_health import CheckHealth
from application.operations.ports import (
    RuntimeSettings,
    SecretBox,
    ServedKinds,
    SettingsUnitOfWork,
)
from application.operations.records.ports import AuditReader, ErrorReader, ErrorsUnitOfWork
from application.shared.auditing import Auditor
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.operations.runtime_setting import SettingRegistry
from domain.operations.runtime_settings import REGISTRY
from entrypoints.di.use_cases import INSTRUMENTED
from tests.e2e.api.doubles import CountingSecrets
from tests.fakes.audit import InMemoryAuditReader
from tests.fakes.authentication import session_access
from tests.fakes.budgets import InMemoryBudgetReader
from tests.fakes.credentials import InMemoryCredentials, InMemoryKeyActivity
from tests.fakes.errors import (
    InMemoryErrorReader,
    InMemoryErrorsUnitOfWork,
)
from tests.fakes.guarding import TypeSchemas
from tests.fakes.identity import InMemoryIdentityUnitOfWork
from tests.fakes.joining import InMemoryJoiningUnitOfWork
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.passwords import some_passwords
from tests.fakes.registry import (
    FixedConfigurations,
    InMemoryRegistryUnitOfWork,
)
from tests.fakes.settings import InMemorySettingsUnitOfWork

Find = Callable[[Any], object]

OF_A_WORLD: dict[Any, Find] = {
    Clock: lambda world: world.clock,
    IdGenerator: lambda world: world.ids,
    Credentials: lambda world: InMemoryCredentials(world.identity),
    KeyActivity: lambda world: InMemoryKeyActivity(world.identity),
    SessionAccess: lambda world: session_access(world.identity, world.clock),
    CallReader: lambda world: world.calls,
    BudgetReader: lambda world: InMemoryBudgetReader(world.budgets),
    CheckHealth: lambda world: world.check_health,
    Links: lambda _: Links("http://stoa.test"),
    RateLimits: lambda world: world.limits,
    RuntimeSettings: lambda world: world.identity.settings.runtime,
    SecretBox: lambda world: world.identity.settings.secrets,
    SettingRegistry: lambda _: REGISTRY,
    ModelCatalog: lambda world: InMemoryModelCatalog(*world.models),
    ServedKinds: lambda world: InMemoryModelCatalog(*world.models),
    AuditReader: lambda world: InMemoryAuditReader(world.identity.committed.audit),
    ErrorReader: lambda world: InMemoryErrorReader(world.errors),
    LiveRegistry: lambda world: world.live,
    ProviderOffers: lambda world: world.offers,
}
OF_A_REQUEST: dict[Any, Find] = {
    IdentityUnitOfWork: lambda world: InMemoryIdentityUnitOfWork(world.identity),
    JoiningUnitOfWork: lambda world: InMemoryJoiningUnitOfWork(world.identity),
    SettingsUnitOfWork: lambda world: InMemorySettingsUnitOfWork(world.identity.settings),
    ErrorsUnitOfWork: lambda world: InMemoryErrorsUnitOfWork(world.errors),
    RegistryUnitOfWork: lambda world: InMemoryRegistryUnitOfWork(world.registry),
}
PARTS = (
    *(Auditor, MemberKeys, Deactivation, ResetLinks, CountApiRequest, ShowLimits),
    *(References, ProviderBounds, ProviderEntries, ModelEntries, RouteEntries),
)


def neighbours(world_type: type) -> Provider:
    """Those of the world that a session of the container is opened with."""
    provider = Provider(scope=Scope.SESSION)
    provider.from_context(world_type, scope=Scope.SESSION)
    for kind, find in OF_A_WORLD.items():
        provider.provide(_of(world_type, find), provides=kind)
    for kind, find in OF_A_REQUEST.items():
        provider.provide(_of(world_type, find), provides=kind, scope=Scope.REQUEST)
    provider.provide(CountingSecrets, provides=SecretGenerator)
    provider.provide(FixedConfigurations, provides=ProviderConfigurations)
    provider.provide(TypeSchemas, provides=SchemaCheck)
    provider.provide(some_passwords)
    provider.provide_all(*PARTS)
    for use_case in (Authenticate, *INSTRUMENTED):
        provider.provide(use_case, scope=Scope.REQUEST)
    return provider


def _of(world_type: type, find: Find) -> Callable[..., Any]:
    def found(world: Any) -> Any:
        return find(world)

    found.__annotations__["world"] = world_type
    return found
