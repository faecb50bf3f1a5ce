"""The HTTP application over in-memory neighbours, with a team, its key and a client."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from dishka import Provider, Scope, make_async_container
from litestar import Controller
from litestar.types import ControllerRouterHandler

from adapters.http.app import DataPlane, HttpOptions, HttpParts, create_app
from adapters.http.failures import Failures
from adapters.http.frame import Frame
from adapters.http.metrics.exposition import Exposition
from adapters.http.metrics.requests import RequestMetrics
from adapters.http.openapi_operations import ExtraOperation
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
    HealthProbe,
    RuntimeSettings,
    SecretBox,
    ServedKinds,
    SettingsUnitOfWork,
)
from application.operations.readiness import Readiness
from application.operations.records.error_reporter import ErrorReporter
from application.operations.records.ports import AuditReader, ErrorReader, ErrorsUnitOfWork
from application.shared.auditing import Auditor
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.api_key import ApiKey
from domain.identity.membership import Membership
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.permissions import Permission, Role
from domain.identity.scopes import scopes_of
from domain.identity.team import Team
from domain.identity.user import User
from domain.models.served_model import ServedModel
from domain.operations.runtime_setting import SettingRegistry
from domain.operations.runtime_settings import REGISTRY
from domain.shared.ids import KeyId, TeamId, UserId
from entrypoints.di.use_cases import INSTRUMENTED
from tests.builders import a_session
from tests.e2e.api.doubles import CountingIds, CountingSecrets, HandClock, RecordingCalls
from tests.fakes.audit import InMemoryAuditReader
from tests.fakes.authentication import session_access
from tests.fakes.budgets import BudgetBooks, InMemoryBudgetReader
from tests.fakes.credentials import InMemoryCredentials, InMemoryKeyActivity
from tests.fakes.errors import (
    InMemoryErrorReader,
    InMemoryErrors,
    InMemoryErrorsUnitOfWork,
    RecordingErrorLog,
)
from tests.fakes.guarding import TypeSchemas
from tests.fakes.identity import InMemoryIdentityUnitOfWork
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.inference import LedgerRows
from tests.fakes.joining import InMemoryJoiningUnitOfWork
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.passwords import some_passwords
from tests.fakes.rate_limits import InMemoryRateLimits
from tests.fakes.registry import (
    FixedConfigurations,
    FixedOffers,
    InMemoryRegistry,
    InMemoryRegistryUnitOfWork,
    RecordingLiveRegistry,
)
from tests.fakes.sessions import ReadableAccessTokens
from tests.fakes.settings import InMemorySettingsUnitOfWork

SECRET = "sk-stoa-" + "k" * 43


@dataclass(kw_only=True)
class World:
    options: dict[str, Any] = field(default_factory=dict)
    probes: Sequence[HealthProbe] = ()
    route_handlers: Sequence[ControllerRouterHandler] = ()
    operations: Sequence[ExtraOperation] = ()
    clock: HandClock = field(default_factory=HandClock)
    ids: CountingIds = field(default_factory=CountingIds)
    identity: InMemoryIdentity = field(default_factory=InMemoryIdentity)
    calls: RecordingCalls = field(default_factory=RecordingCalls)
    readiness: Readiness = field(default_factory=Readiness)
    models: Sequence[ServedModel] = ()
    backlog: int = 0
    limits: InMemoryRateLimits = field(default_factory=InMemoryRateLimits)
    budgets: BudgetBooks = field(default_factory=lambda: BudgetBooks(LedgerRows()))
    error_log: RecordingErrorLog = field(default_factory=RecordingErrorLog)
    errors: InMemoryErrors = field(default_factory=InMemoryErrors)
    live: RecordingLiveRegistry = field(default_factory=RecordingLiveRegistry)
    offers: FixedOffers = field(default_factory=FixedOffers)

    def __post_init__(self) -> None:
        self.registry = InMemoryRegistry(self.identity.committed.audit)
        self.check_health = CheckHealth(self.probes, self.clock)
        self.team = Team(
            id=TeamId(self.ids.new()),
            name="Stoics",
            created_at=self.clock.now(),
        )
        self.owner = User(
            id=UserId(self.ids.new()), display_name="Zeno", created_at=self.clock.now()
        )
        self.key = ApiKey.issue(
            id=KeyId(self.ids.new()),
            team_id=self.team.id,
            user_id=self.owner.id,
            name="first key",
            secret=SECRET,
            allowed_models=ANY_MODEL,
            scopes=scopes_of(Permission),
            expires_at=None,
            at=self.clock.now(),
        )
        membership = Membership(team_id=self.team.id, user_id=self.owner.id, role=Role.OWNER)
        state = self.identity.committed
        state.teams[self.team.id] = self.team
        state.users[self.owner.id] = self.owner
        state.memberships[self.team.id, self.owner.id] = membership
        state.keys[self.key.id] = self.key
        self.readiness.open()

    def app(self) -> Frame:
        _unwrap_controllers()
        options: dict[str, Any] = {"version": "1.2.3", "max_body_bytes": 2000} | self.options
        exposition = Exposition(version="1.2.3", ledger_backlog=lambda: self.backlog)
        return create_app(
            make_async_container(self._provider(), skip_validation=True),
            parts=HttpParts(
                ids=self.ids,
                clock=self.clock,
                failures=Failures(
                    ErrorReporter(errors=self.error_log, clock=self.clock, ids=self.ids)
                ),
                readiness=self.readiness,
                check_health=self.check_health,
                exposition=exposition,
                request_metrics=RequestMetrics(exposition.registry),
            ),
            options=HttpOptions(**options),
            data_plane=DataPlane(route_handlers=self.route_handlers, operations=self.operations),
        )

    def person(self, name: str, role: Role, *, team: Team | None = None) -> str:
        """Somebody in the team, whose session's token is returned."""
        state = self.identity.committed
        team_id = (team or self.team).id
        user = User(
            id=UserId(self.ids.new()),
            display_name=name.title(),
            email=f"{name}@stoics.example",
            created_at=self.clock.now(),
        )
        state.users[user.id] = user
        state.memberships[team_id, user.id] = Membership(
            team_id=team_id, user_id=user.id, role=role
        )
        session = a_session(team_id=team_id, user_id=user.id, created_at=self.clock.now())
        state.sessions[session.id] = session
        return ReadableAccessTokens().issue(session, self.clock.now())

    def id_of(self, name: str) -> str:
        """The id of a person."""
        users = self.identity.committed.users.values()
        return next(str(user.id) for user in users if user.display_name == name.title())

    @asynccontextmanager
    async def client(self, key: str | None = SECRET) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        # httpx and Litestar describe the same ASGI with different types.
        app: Any = self.app()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://stoa.test", headers=headers
        ) as client:
            yield client

    def _provider(self) -> Provider:
        provider = Provider(scope=Scope.APP)
        provider.provide(lambda: self.clock, provides=Clock)
        provider.provide(lambda: self.ids, provides=IdGenerator)
        provider.provide(CountingSecrets, provides=SecretGenerator)
        provider.provide(Auditor)
        provider.provide(lambda: InMemoryCredentials(self.identity), provides=Credentials)
        provider.provide(lambda: InMemoryKeyActivity(self.identity), provides=KeyActivity)
        provider.provide(lambda: session_access(self.identity, self.clock), provides=SessionAccess)
        provider.provide(lambda: self.calls, provides=CallReader)
        provider.provide(lambda: InMemoryBudgetReader(self.budgets), provides=BudgetReader)
        provider.provide(lambda: self.check_health, provides=CheckHealth)
        provider.provide(
            lambda: InMemoryIdentityUnitOfWork(self.identity),
            provides=IdentityUnitOfWork,
            scope=Scope.REQUEST,
        )
        provider.provide(
            lambda: InMemoryJoiningUnitOfWork(self.identity),
            provides=JoiningUnitOfWork,
            scope=Scope.REQUEST,
        )
        provider.provide(some_passwords)
        provider.provide(lambda: Links("http://stoa.test"), provides=Links)
        provider.provide_all(MemberKeys, Deactivation, ResetLinks)
        provider.provide(lambda: self.limits, provides=RateLimits)
        provider.provide_all(CountApiRequest, ShowLimits)
        settings = self.identity.settings
        provider.provide(lambda: settings.runtime, provides=RuntimeSettings)
        provider.provide(lambda: settings.secrets, provides=SecretBox)
        provider.provide(lambda: REGISTRY, provides=SettingRegistry)
        provider.provide(lambda: InMemoryModelCatalog(*self.models), provides=ModelCatalog)
        provider.provide(lambda: InMemoryModelCatalog(*self.models), provides=ServedKinds)
        provider.provide(
            lambda: InMemorySettingsUnitOfWork(settings),
            provides=SettingsUnitOfWork,
            scope=Scope.REQUEST,
        )
        self._provide_registry(provider)
        provider.provide(self._audit_reader, provides=AuditReader)
        provider.provide(lambda: InMemoryErrorReader(self.errors), provides=ErrorReader)
        provider.provide(
            lambda: InMemoryErrorsUnitOfWork(self.errors),
            provides=ErrorsUnitOfWork,
            scope=Scope.REQUEST,
        )
        for use_case in (Authenticate, *INSTRUMENTED):
            provider.provide(use_case, scope=Scope.REQUEST)
        return provider

    def _provide_registry(self, provider: Provider) -> None:
        provider.provide(
            lambda: InMemoryRegistryUnitOfWork(self.registry),
            provides=RegistryUnitOfWork,
            scope=Scope.REQUEST,
        )
        provider.provide(FixedConfigurations, provides=ProviderConfigurations)
        provider.provide(lambda: self.live, provides=LiveRegistry)
        provider.provide(lambda: self.offers, provides=ProviderOffers)
        provider.provide(TypeSchemas, provides=SchemaCheck)
        provider.provide_all(
            References, ProviderBounds, ProviderEntries, ModelEntries, RouteEntries
        )

    def _audit_reader(self) -> AuditReader:
        return InMemoryAuditReader(self.identity.committed.audit)


def _unwrap_controllers() -> None:
    """dishka wraps the handlers of a class once more for each application that has it, so that
    the hundredth would take a hundred times as long to make as the first."""
    for controller in Controller.__subclasses__():
        if "get_route_handlers" in vars(controller):
            del controller.get_route_handlers
