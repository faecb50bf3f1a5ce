"""What teams set up at run time: their providers, models and routes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from application.shared.pagination import Page, PageRequest
from application.shared.ports import UnitOfWork
from domain.models.registry.model import Model, ModelState
from domain.models.registry.provider import Provider
from domain.models.registry.registered_route import RegisteredRoute
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.ids import ModelId, ProviderId, RouteId, TeamId


class RegistrySort(StrEnum):
    """The order of a list; ``-`` turns it round. Ties are broken by id."""

    NAME = "name"
    NAME_DOWN = "-name"
    CREATED = "created_at"
    CREATED_DOWN = "-created_at"
    UPDATED = "updated_at"
    UPDATED_DOWN = "-updated_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFilter:
    """What is ``None`` does not restrict."""

    kind: ModelKind | None = None
    state: ModelState | None = None
    provider_id: ProviderId | None = None


class Providers(Protocol):
    """The providers of all teams, inside a unit of work."""

    async def add(self, provider: Provider) -> None:
        """Raises ``ProviderNameTakenError``."""
        ...

    async def get(self, team_id: TeamId, provider_id: ProviderId) -> Provider:
        """Raises ``ProviderNotFoundError``, also for another team's."""
        ...

    async def save(self, provider: Provider) -> None:
        """Raises ``ProviderNameTakenError`` and ``ProviderNotFoundError``."""
        ...

    async def remove(self, provider: Provider) -> None:
        """Raises ``ProviderInUseError`` for one that has models."""
        ...

    async def all(self, team_id: TeamId) -> Sequence[Provider]:
        """By name."""
        ...

    async def list(
        self, team_id: TeamId, page: PageRequest, sort: RegistrySort
    ) -> Page[Provider]: ...


class Models(Protocol):
    """The models of all teams, inside a unit of work. Names and aliases of models and routes are
    unique in a team; the store decides."""

    async def add(self, model: Model) -> None:
        """Raises ``ModelNameTakenError``, and ``ProviderNotFoundError`` for a provider that the
        team does not have."""
        ...

    async def get(self, team_id: TeamId, model_id: ModelId) -> Model:
        """Raises ``ModelNotRegisteredError``, also for another team's."""
        ...

    async def save(self, model: Model) -> None:
        """Raises what ``add`` raises, and ``ModelNotRegisteredError``."""
        ...

    async def remove(self, model: Model) -> None: ...

    async def all(self, team_id: TeamId) -> Sequence[Model]:
        """By name."""
        ...

    async def list(
        self, team_id: TeamId, where: ModelFilter, page: PageRequest, sort: RegistrySort
    ) -> Page[Model]: ...

    async def was_called(self, model: Model) -> bool:
        """Whether the ledger has a call that a provider was asked to answer under one of the names
        that the model has had since it is there."""
        ...


class Routes(Protocol):
    """The routes of all teams, inside a unit of work."""

    async def add(self, route: RegisteredRoute) -> None:
        """Raises ``ModelNameTakenError``."""
        ...

    async def get(self, team_id: TeamId, route_id: RouteId) -> RegisteredRoute:
        """Raises ``RouteNotFoundError``, also for another team's."""
        ...

    async def save(self, route: RegisteredRoute) -> None:
        """Raises ``ModelNameTakenError`` and ``RouteNotFoundError``."""
        ...

    async def remove(self, route: RegisteredRoute) -> None: ...

    async def all(self, team_id: TeamId) -> Sequence[RegisteredRoute]:
        """By name."""
        ...

    async def list(
        self, team_id: TeamId, page: PageRequest, sort: RegistrySort
    ) -> Page[RegisteredRoute]: ...


class RegistryUnitOfWork(UnitOfWork, Protocol):
    """Whatever is written makes every node read the registry of that team when the unit of work
    commits."""

    @property
    def providers(self) -> Providers: ...

    @property
    def models(self) -> Models: ...

    @property
    def routes(self) -> Routes: ...

    async def lock_registry(self, team_id: TeamId) -> None:
        """Keep others who lock the team's registry waiting until the unit of work ends."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedConfiguration:
    """A configuration that its type can read. ``secrets`` are kept apart; ``addresses`` are the
    hosts that it names, by key."""

    plain: dict[str, object]
    secrets: dict[str, object] = field(default_factory=dict, repr=False)
    addresses: tuple[tuple[str, str], ...] = ()


class ProviderConfigurations(Protocol):
    """What the types of providers read."""

    @property
    def types(self) -> tuple[str, ...]: ...

    def check(self, type_name: str, name: str, given: Mapping[str, object]) -> CheckedConfiguration:
        """Raises ``InvalidError`` that names each field that is wrong, ``configuration.base_url``
        for one."""
        ...

    def model_problems(self, type_name: str, model: ServedModel) -> Sequence[tuple[str, str]]:
        """Why a provider of that type cannot serve the model as it is described: what is wrong with
        which field, ``options.delay_ms`` for one. Nothing is asked for it."""
        ...

    def of_the_server(self, type_name: str, given: Mapping[str, object]) -> tuple[str, ...]:
        """The keys that concern the machine of the server, ``type`` among them where that itself
        does: only those may set them who manage it. Nothing is looked up for it."""
        ...

    def runs_here(self, type_name: str) -> bool:
        """Whether calls of a provider of this type never leave the machine."""
        ...

    def is_of_the_server(self, type_name: str) -> bool:
        """Whether models of this type take up the machine of the server, so that those set them up
        who manage it."""
        ...


class LiveRegistry(Protocol):
    """What this process serves of the registries."""

    async def catch_up(self, team_id: TeamId) -> None:
        """Returns when this process serves what has been committed for the team, so that whoever
        changed something finds it changed. Never raises: while the database is away it follows as
        soon as it can."""
        ...

    def problem(self, provider_id: ProviderId) -> str | None:
        """Why the provider cannot be used as it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInUse:
    """A provider and what it serves."""

    provider: Provider
    models: tuple[ServedModel, ...]


class ProviderFollower(Protocol):
    """What runs the providers of the registries in this process."""

    async def follow(self, registries: Mapping[TeamId, Sequence[ProviderInUse]]) -> None:
        """Returns when calls go to these providers of those teams, and to no others of theirs.
        Never raises: what is wrong with a provider is told for its calls and in ``problem``."""
        ...

    def problem(self, provider_id: ProviderId) -> str | None:
        """Why the provider cannot be used as it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model that a provider has; what it does not say is ``None``."""

    name: str
    kind: ModelKind | None = None
    context_length: int | None = None


class ProviderOffers(Protocol):
    async def of(self, provider: Provider) -> Sequence[Offer]:
        """Ask the provider what it has, by name. Raises what calls of it raise, and
        ``OffersUnknownError``."""
        ...


class SchemaCheck(Protocol):
    """Knows what a JSON schema is."""

    def problem(self, schema: Mapping[str, object]) -> str | None:
        """What is wrong with it, in words that follow its name; ``None`` if it can be used."""
        ...
