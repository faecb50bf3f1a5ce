"""The HTTP application over in-memory neighbours, with a team, its key and a client."""

from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from dishka import AsyncContainer, Scope, make_async_container
from litestar import Controller
from litestar.types import ControllerRouterHandler

from adapters.http.app import DataPlane, HttpOptions, HttpParts, create_app
from adapters.http.failures import Failures
from adapters.http.frame import Frame
from adapters.http.metrics.exposition import Exposition
from adapters.http.metrics.requests import RequestMetrics
from adapters.http.openapi_operations import ExtraOperation
from application.operations.check_health import CheckHealth
from application.operations.ports import (
    HealthProbe,
)
from application.operations.readiness import Readiness
from application.operations.records.error_reporter import ErrorReporter
from domain.identity.api_key import ApiKey
from domain.identity.membership import Membership
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.permissions import Permission, Role
from domain.identity.scopes import scopes_of
from domain.identity.team import Team
from domain.identity.user import User
from domain.models.served_model import ServedModel
from domain.shared.ids import KeyId, TeamId, UserId
from tests.builders import a_session
from tests.e2e.api.doubles import CountingIds, HandClock, RecordingCalls
from tests.e2e.api.neighbours import neighbours
from tests.e2e.api.stage import Cast, play
from tests.fakes.budgets import BudgetBooks
from tests.fakes.errors import (
    InMemoryErrors,
    RecordingErrorLog,
)
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.inference import LedgerRows
from tests.fakes.rate_limits import InMemoryRateLimits
from tests.fakes.registry import (
    FixedOffers,
    InMemoryRegistry,
    RecordingLiveRegistry,
)
from tests.fakes.sessions import ReadableAccessTokens

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

    def _parts(self) -> HttpParts:
        exposition = Exposition(version="1.2.3", ledger_backlog=lambda: self.backlog)
        return HttpParts(
            ids=self.ids,
            clock=self.clock,
            failures=Failures(ErrorReporter(errors=self.error_log, clock=self.clock, ids=self.ids)),
            readiness=self.readiness,
            check_health=self.check_health,
            exposition=exposition,
            request_metrics=RequestMetrics(exposition.registry),
        )

    def _build(self, container: AsyncContainer, parts: HttpParts) -> Frame:
        _unwrap_controllers()
        options: dict[str, Any] = {"version": "1.2.3", "max_body_bytes": 2000} | self.options
        return create_app(
            container,
            parts=parts,
            options=HttpOptions(**options),
            data_plane=DataPlane(route_handlers=self.route_handlers, operations=self.operations),
        )

    def _likeness(self) -> Hashable:
        """Worlds that are equal in this may have one application. It remembers when it began."""
        handlers, operations = tuple(map(id, self.route_handlers)), tuple(map(id, self.operations))
        return tuple(sorted(self.options.items())), handlers, operations, self.clock.monotonic()

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
        async with _container()(context={World: self}, scope=Scope.SESSION) as container:
            # httpx and Litestar describe the same ASGI with different types.
            app: Any = play(Cast(self._parts(), container), self._likeness(), self._build)
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://stoa.test", headers=headers
            ) as client:
                yield client


@cache
def _container() -> AsyncContainer:
    return make_async_container(neighbours(World), skip_validation=True)


def _unwrap_controllers() -> None:
    """dishka wraps the handlers of a class once more for each application that has it, so that
    the hundredth would take a hundred times as long to make as the first."""
    for controller in Controller.__subclasses__():
        if "get_route_handlers" in vars(controller):
            del controller.get_route_handlers
