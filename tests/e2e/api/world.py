"""The HTTP application over in-memory neighbours, with a team, its key and a client."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from dishka import Provider, Scope, make_async_container
from litestar.types import ControllerRouterHandler

from adapters.http.app import DataPlane, HttpOptions, HttpParts, create_app
from adapters.http.frame import Frame
from adapters.http.metrics.exposition import Exposition
from adapters.http.metrics.requests import RequestMetrics
from adapters.http.openapi_operations import ExtraOperation
from application.identity.authenticate import Authenticate
from application.identity.get_key import GetKey
from application.identity.get_team import GetTeam
from application.identity.issue_key import IssueKey
from application.identity.list_keys import ListKeys
from application.identity.ports import Credentials, IdentityUnitOfWork, KeyActivity
from application.identity.revoke_key import RevokeKey
from application.identity.update_key import UpdateKey
from application.identity.update_team import UpdateTeam
from application.inference.get_call import GetCall
from application.inference.list_calls import ListCalls
from application.inference.ports import CallReader
from application.inference.report_usage import ReportUsage
from application.operations.check_health import CheckHealth
from application.operations.inspect_health import InspectHealth
from application.operations.ports import HealthProbe
from application.operations.readiness import Readiness
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.api_key import ApiKey
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.team import Team
from domain.shared.ids import KeyId, TeamId, UserId
from tests.e2e.api.doubles import (
    CountingIds,
    CountingSecrets,
    HandClock,
    Memory,
    MemoryCalls,
    MemoryCredentials,
    MemoryUnitOfWork,
    NoActivity,
)

SECRET = "sk-stoa-" + "k" * 43
USE_CASES = (
    Authenticate,
    GetCall,
    GetKey,
    GetTeam,
    InspectHealth,
    IssueKey,
    ListCalls,
    ListKeys,
    ReportUsage,
    RevokeKey,
    UpdateKey,
    UpdateTeam,
)


@dataclass(kw_only=True)
class World:
    options: dict[str, Any] = field(default_factory=dict)
    probes: Sequence[HealthProbe] = ()
    route_handlers: Sequence[ControllerRouterHandler] = ()
    operations: Sequence[ExtraOperation] = ()
    clock: HandClock = field(default_factory=HandClock)
    ids: CountingIds = field(default_factory=CountingIds)
    memory: Memory = field(default_factory=Memory)
    readiness: Readiness = field(default_factory=Readiness)
    backlog: int = 0

    def __post_init__(self) -> None:
        self.calls = MemoryCalls(self.memory)
        self.check_health = CheckHealth(self.probes, self.clock)
        self.team = Team(
            id=TeamId(self.ids.new()),
            name="Stoics",
            capture_content=False,
            created_at=self.clock.now(),
        )
        self.key = ApiKey.issue(
            id=KeyId(self.ids.new()),
            team_id=self.team.id,
            user_id=UserId(self.ids.new()),
            name="first key",
            secret=SECRET,
            allowed_models=ANY_MODEL,
            expires_at=None,
            at=self.clock.now(),
        )
        self.memory.teams[self.team.id] = self.team
        self.memory.keys[self.key.id] = self.key
        self.readiness.open()

    def app(self) -> Frame:
        options: dict[str, Any] = {"version": "1.2.3", "max_body_bytes": 2000} | self.options
        exposition = Exposition(version="1.2.3", ledger_backlog=lambda: self.backlog)
        return create_app(
            make_async_container(self._provider()),
            parts=HttpParts(
                ids=self.ids,
                clock=self.clock,
                readiness=self.readiness,
                check_health=self.check_health,
                exposition=exposition,
                request_metrics=RequestMetrics(exposition.registry),
            ),
            options=HttpOptions(**options),
            data_plane=DataPlane(route_handlers=self.route_handlers, operations=self.operations),
        )

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
        provider.provide(lambda: MemoryCredentials(self.memory), provides=Credentials)
        provider.provide(NoActivity, provides=KeyActivity)
        provider.provide(lambda: self.calls, provides=CallReader)
        provider.provide(lambda: self.check_health, provides=CheckHealth)
        provider.provide(
            lambda: MemoryUnitOfWork(self.memory), provides=IdentityUnitOfWork, scope=Scope.REQUEST
        )
        for use_case in USE_CASES:
            provider.provide(use_case, scope=Scope.REQUEST)
        return provider
