"""The registries of teams in memory.

Several units of work on one ``database`` see each other's commits; a locked registry makes others
wait."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from application.models.registry.ports import (
    CheckedConfiguration,
    LiveRegistry,
    ModelFilter,
    Models,
    Offer,
    ProviderConfigurations,
    ProviderFollower,
    ProviderInUse,
    ProviderOffers,
    Providers,
    RegistrySort,
    RegistryUnitOfWork,
    Routes,
)
from application.shared.pagination import Page, PageRequest
from domain.models.registry.errors import (
    ModelNameTakenError,
    ModelNotRegisteredError,
    ProviderInUseError,
    ProviderNameTakenError,
    ProviderNotFoundError,
    RouteNotFoundError,
    wrong_fields,
)
from domain.models.registry.model import Model
from domain.models.registry.provider import Provider
from domain.models.registry.registered_route import RegisteredRoute
from domain.models.served_model import ServedModel
from domain.operations.audit import AuditEntry
from domain.operations.event import Event
from domain.shared.errors import StoaError
from domain.shared.ids import ModelId, ProviderId, RouteId, TeamId
from tests.fakes.records import InMemoryAuditTrail, InMemoryEventLog

Entry = TypeVar("Entry", Provider, Model, RegisteredRoute)


@dataclass(slots=True)
class RegistryState:
    providers: dict[ProviderId, Provider] = field(default_factory=dict)
    models: dict[ModelId, Model] = field(default_factory=dict)
    routes: dict[RouteId, RegisteredRoute] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    audit: list[AuditEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def names(self, team_id: TeamId) -> dict[str, ModelId | RouteId]:
        models = {n: one.id for one in self.models.values() for n in one.names if _of(one, team_id)}
        routes = {
            n: one.id for one in self.routes.values() for n in one.route.names if _of(one, team_id)
        }
        return models | routes

    def must_be_free(
        self, team_id: TeamId, names: Iterable[str], holder: ModelId | RouteId
    ) -> None:
        taken = self.names(team_id)
        others = sorted(name for name in names if taken.get(name, holder) != holder)
        if others:
            raise ModelNameTakenError(others)


class InMemoryRegistry:
    """What several units of work share."""

    def __init__(self, audit: list[AuditEntry] | None = None) -> None:
        self.committed = RegistryState(audit=[] if audit is None else audit)
        self.locks: defaultdict[TeamId, asyncio.Lock] = defaultdict(asyncio.Lock)


class InMemoryProviders(Providers):
    def __init__(self, state: RegistryState) -> None:
        self._state = state

    async def add(self, provider: Provider) -> None:
        for other in await self.all(provider.team_id):
            if other.name == provider.name and other.id != provider.id:
                raise ProviderNameTakenError(provider.name)
        self._state.providers[provider.id] = deepcopy(provider)

    async def get(self, team_id: TeamId, provider_id: ProviderId) -> Provider:
        found = self._state.providers.get(provider_id)
        if found is None or found.team_id != team_id:
            raise ProviderNotFoundError
        return deepcopy(found)

    async def save(self, provider: Provider) -> None:
        await self.get(provider.team_id, provider.id)
        await self.add(provider)

    async def remove(self, provider: Provider) -> None:
        if any(model.provider_id == provider.id for model in self._state.models.values()):
            raise ProviderInUseError(provider.name)
        self._state.providers.pop(provider.id, None)

    async def all(self, team_id: TeamId) -> Sequence[Provider]:
        return _by_name(self._state.providers.values(), team_id)

    async def list(self, team_id: TeamId, page: PageRequest, sort: RegistrySort) -> Page[Provider]:
        return _page(await self.all(team_id), page, sort)


class InMemoryModels(Models):
    def __init__(self, state: RegistryState) -> None:
        self._state = state

    async def add(self, model: Model) -> None:
        await InMemoryProviders(self._state).get(model.team_id, model.provider_id)
        self._state.must_be_free(model.team_id, model.names, model.id)
        self._state.models[model.id] = deepcopy(model)

    async def get(self, team_id: TeamId, model_id: ModelId) -> Model:
        found = self._state.models.get(model_id)
        if found is None or found.team_id != team_id:
            raise ModelNotRegisteredError
        return deepcopy(found)

    async def save(self, model: Model) -> None:
        await self.get(model.team_id, model.id)
        await self.add(model)

    async def remove(self, model: Model) -> None:
        self._state.models.pop(model.id, None)

    async def all(self, team_id: TeamId) -> Sequence[Model]:
        return _by_name(self._state.models.values(), team_id)

    async def list(
        self, team_id: TeamId, where: ModelFilter, page: PageRequest, sort: RegistrySort
    ) -> Page[Model]:
        found = [
            model
            for model in await self.all(team_id)
            if where.kind in (None, model.kind)
            and where.state in (None, model.state)
            and where.provider_id in (None, model.provider_id)
        ]
        return _page(found, page, sort)

    async def was_called(self, model: Model) -> bool:
        return not self._state.called.isdisjoint(model.names_ever)


class InMemoryRoutes(Routes):
    def __init__(self, state: RegistryState) -> None:
        self._state = state

    async def add(self, route: RegisteredRoute) -> None:
        self._state.must_be_free(route.team_id, route.route.names, route.id)
        self._state.routes[route.id] = deepcopy(route)

    async def get(self, team_id: TeamId, route_id: RouteId) -> RegisteredRoute:
        found = self._state.routes.get(route_id)
        if found is None or found.team_id != team_id:
            raise RouteNotFoundError
        return deepcopy(found)

    async def save(self, route: RegisteredRoute) -> None:
        await self.get(route.team_id, route.id)
        await self.add(route)

    async def remove(self, route: RegisteredRoute) -> None:
        self._state.routes.pop(route.id, None)

    async def all(self, team_id: TeamId) -> Sequence[RegisteredRoute]:
        return _by_name(self._state.routes.values(), team_id)

    async def list(
        self, team_id: TeamId, page: PageRequest, sort: RegistrySort
    ) -> Page[RegisteredRoute]:
        return _page(await self.all(team_id), page, sort)


class InMemoryRegistryUnitOfWork(RegistryUnitOfWork):
    def __init__(self, database: InMemoryRegistry | None = None) -> None:
        self.database = database or InMemoryRegistry()
        self._state: RegistryState | None = None
        self._held: list[asyncio.Lock] = []
        self._locked: set[TeamId] = set()

    @property
    def committed(self) -> RegistryState:
        return self.database.committed

    async def __aenter__(self) -> Self:
        if self._state is not None:
            raise RuntimeError("This unit of work is open already.")
        self._state = self._copy()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for lock in self._held:
            lock.release()
        self._held, self._locked, self._state = [], set(), None

    async def commit(self) -> None:
        state, committed = self._open_state, self.database.committed
        committed.providers, committed.models = state.providers, state.models
        committed.routes = state.routes
        committed.audit += state.audit
        committed.events += state.events
        self._state = self._copy()

    async def lock_registry(self, team_id: TeamId) -> None:
        if team_id not in self._locked:
            lock = self.database.locks[team_id]
            await lock.acquire()
            self._held.append(lock)
            self._locked.add(team_id)
            self._state = self._copy()

    @property
    def providers(self) -> InMemoryProviders:
        return InMemoryProviders(self._open_state)

    @property
    def models(self) -> InMemoryModels:
        return InMemoryModels(self._open_state)

    @property
    def routes(self) -> InMemoryRoutes:
        return InMemoryRoutes(self._open_state)

    @property
    def audit(self) -> InMemoryAuditTrail:
        return InMemoryAuditTrail(self._open_state.audit)

    @property
    def events(self) -> InMemoryEventLog:
        return InMemoryEventLog(self._open_state.events)

    @property
    def _open_state(self) -> RegistryState:
        if self._state is None:
            raise RuntimeError("This unit of work is not open.")
        return self._state

    def _copy(self) -> RegistryState:
        committed = self.database.committed
        return RegistryState(
            providers=dict(committed.providers),
            models=dict(committed.models),
            routes=dict(committed.routes),
            called=committed.called,
        )


class FixedConfigurations(ProviderConfigurations):
    """The type ``acme``, with a ``base_url``, a ``ca_file`` and the secret ``api_key``, and
    ``heavy``, which is the same on the server itself."""

    types = ("acme", "heavy")

    def check(self, type_name: str, name: str, given: Mapping[str, object]) -> CheckedConfiguration:
        if type_name not in self.types:
            raise wrong_fields([("type", "must be one of acme")])
        known = {"base_url", "api_key", "ca_file", "timeouts"}
        if unknown := sorted(given.keys() - known):
            raise wrong_fields((f"configuration.{key}", "is not known") for key in unknown)
        url = str(given.get("base_url", "https://acme.example"))
        host = url.partition("://")[2].partition("/")[0].partition(":")[0]
        return CheckedConfiguration(
            plain={key: value for key, value in given.items() if key != "api_key"},
            secrets={key: value for key, value in given.items() if key == "api_key"},
            addresses=(("base_url", host),) if "base_url" in given else (),
        )

    def model_problems(self, type_name: str, model: ServedModel) -> Sequence[tuple[str, str]]:
        """Nobody has a ``speed``, and what is heavy no option at all."""
        if "speed" in model.options:
            return [("options.speed", "is unknown")]
        return [("options", "may be none")] if type_name == "heavy" and model.options else []

    def of_the_server(self, type_name: str, given: Mapping[str, object]) -> tuple[str, ...]:
        files = ("ca_file",) if "ca_file" in given else ()
        return (*files, "type") if type_name == "heavy" else files

    def runs_here(self, type_name: str) -> bool:
        return False

    def is_of_the_server(self, type_name: str) -> bool:
        return type_name == "heavy"


class RecordingLiveRegistry(LiveRegistry):
    def __init__(self) -> None:
        self.caught_up: list[TeamId] = []
        self.problems: dict[ProviderId, str] = {}

    async def catch_up(self, team_id: TeamId) -> None:
        self.caught_up.append(team_id)

    def problem(self, provider_id: ProviderId) -> str | None:
        return self.problems.get(provider_id)


class RecordingFollower(ProviderFollower):
    def __init__(self) -> None:
        self.told: dict[TeamId, Sequence[ProviderInUse]] = {}
        self.problems: dict[ProviderId, str] = {}

    async def follow(self, registries: Mapping[TeamId, Sequence[ProviderInUse]]) -> None:
        self.told |= registries

    def problem(self, provider_id: ProviderId) -> str | None:
        return self.problems.get(provider_id)


class FixedOffers(ProviderOffers):
    def __init__(self, *offers: Offer, failing: StoaError | None = None) -> None:
        self.offers = offers
        self.failing = failing

    async def of(self, provider: Provider) -> Sequence[Offer]:
        if self.failing is not None:
            raise self.failing
        return self.offers


def _of(entry: Provider | Model | RegisteredRoute, team_id: TeamId) -> bool:
    return entry.team_id == team_id


def _by_name(entries: Iterable[Entry], team_id: TeamId) -> tuple[Entry, ...]:
    of_team = [deepcopy(entry) for entry in entries if _of(entry, team_id)]
    return tuple(sorted(of_team, key=lambda entry: entry.name))


def _page(entries: Sequence[Entry], page: PageRequest, sort: RegistrySort) -> Page[Entry]:
    member = sort.removeprefix("-")
    key: Callable[[Entry], tuple[Any, ...]] = lambda entry: (getattr(entry, member), entry.id)  # noqa: E731
    ordered = sorted(entries, key=key, reverse=sort.startswith("-"))
    return Page(
        items=tuple(ordered[page.offset : page.offset + page.page_size]),
        total=len(ordered),
        page=page.page,
        page_size=page.page_size,
    )
