import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from adapters.providers.definition import ProviderDefinition, Surroundings
from adapters.providers.live.discovery import discover
from adapters.providers.live.lent_provider import GRACE_S, LentProvider
from adapters.providers.transport.reach import within_reach
from adapters.providers.types import PROVIDER_TYPES
from application.inference.ports import ModelProvider, ModelProviders
from application.models.registry.ports import (
    Offer,
    ProviderFollower,
    ProviderInUse,
    ProviderOffers,
)
from application.operations.ports import Sealed, SecretBox
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.inference.errors import ProviderFailedError
from domain.models.registry.addresses import refusal
from domain.models.registry.provider import Provider
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError
from domain.shared.ids import ProviderId, TeamId

log = structlog.get_logger()

# Type, name, and configuration with secrets.
DefinitionReader = Callable[[str, str, Mapping[str, object]], ProviderDefinition]


@dataclass(slots=True, kw_only=True)
class _Running:
    """``lent`` is ``None`` for a provider that cannot be built, which is why ``problem`` says."""

    made_of: Provider
    models: tuple[ServedModel, ...]
    lent: LentProvider | None = None
    problem: str | None = None


class RegistryProviders(ModelProviders, ProviderFollower, ProviderOffers):
    """The providers of the teams' registries. From ``start`` on they are built as they appear and
    change; a process that makes no calls need not start them."""

    def __init__(
        self,
        *,
        read: DefinitionReader,
        surroundings: Surroundings,
        secrets: SecretBox,
        reporter: ErrorReporter,
        allows_private: Callable[[], bool],
        grace_s: float = GRACE_S,
    ) -> None:
        """``allows_private`` is asked whenever a connection is made."""
        self._read = read
        self._surroundings = surroundings
        self._secrets = secrets
        self._reporter = reporter
        self._allows_private = allows_private
        self._grace_s = grace_s
        self._told: dict[TeamId, Sequence[ProviderInUse]] = {}
        self._is_started = False
        self._teams: dict[TeamId, dict[str, _Running]] = {}
        self._by_id: dict[ProviderId, _Running] = {}
        self._retiring: dict[asyncio.Task[None], LentProvider] = {}

    def get(self, model: ServedModel) -> ModelProvider:
        running = self._running(model)
        if running.lent is None:
            raise ProviderFailedError(
                f"The provider '{model.provider}' cannot be used: {running.problem}"
            )
        return running.lent

    async def offers_for(self, model: ServedModel) -> Sequence[Offer]:
        """What the provider of the model says that it has. Raises what ``of`` raises."""
        return await self.of(self._running(model).made_of)

    def problem(self, provider_id: ProviderId) -> str | None:
        if self._is_started:
            running = self._by_id.get(provider_id)
            return None if running is None else running.problem
        told = (entry.provider for entries in self._told.values() for entry in entries)
        provider = next((one for one in told if one.id == provider_id), None)
        return None if provider is None else self._reading_problem(provider)

    async def of(self, provider: Provider) -> Sequence[Offer]:
        definition = self._definition(provider)
        with within_reach(self._reach(provider)):
            return await discover(definition, provider.type)

    async def follow(self, registries: Mapping[TeamId, Sequence[ProviderInUse]]) -> None:
        for team_id, entries in registries.items():
            self._told[team_id] = entries
            if not entries:
                del self._told[team_id]
            if self._is_started:
                await self._follow(team_id, entries)

    async def start(self) -> None:
        self._is_started = True
        for team_id, entries in tuple(self._told.items()):
            await self._follow(team_id, entries)

    async def stop(self) -> None:
        """Abort what runs, also in providers that have been replaced."""
        for task in self._retiring:
            task.cancel()
        lent = [running.lent for running in self._by_id.values() if running.lent is not None]
        lent += self._retiring.values()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await asyncio.gather(*(one.stop() for one in lent))

    def _running(self, model: ServedModel) -> _Running:
        running = model.owner and self._teams.get(model.owner, {}).get(model.provider)
        if not running:
            raise ProviderFailedError(f"The provider '{model.provider}' was removed.")
        return running

    async def _follow(self, team_id: TeamId, entries: Sequence[ProviderInUse]) -> None:
        gone = {one.made_of.id: one for one in self._teams.get(team_id, {}).values()}
        now: dict[str, _Running] = {}
        for entry in entries:
            old = gone.get(entry.provider.id)
            if old is not None and _is_same(old, entry):
                # What only the registry needs to know has changed at most.
                old.made_of = entry.provider
                del gone[entry.provider.id]
            else:
                old = self._build(entry.provider, entry.models)
                await self._start(old)
            now[entry.provider.name] = old
        self._teams[team_id] = now
        if not now:
            del self._teams[team_id]
        for running in gone.values():
            self._by_id.pop(running.made_of.id, None)
            self._retire(running)
        self._by_id |= {running.made_of.id: running for running in now.values()}

    def _build(self, provider: Provider, models: tuple[ServedModel, ...]) -> _Running:
        running = _Running(made_of=provider, models=models)
        try:
            definition = self._definition(provider)
            with within_reach(self._reach(provider)):
                built = definition.build(models, self._surroundings)
            running.lent = LentProvider(built)
        except StoaError as error:
            self._tell(running, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other providers go on
            self._tell(running, error, "it could not be set up.")
        return running

    async def _start(self, running: _Running) -> None:
        if running.lent is None:
            return
        try:
            await running.lent.start()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other providers go on
            self._tell(running, error, None if isinstance(error, StoaError) else "no start.")
            await running.lent.stop()
            running.lent = None

    def _tell(self, running: _Running, error: Exception, told: str | None = None) -> None:
        message = told or (error.message if isinstance(error, StoaError) else "")
        running.problem = message
        provider = running.made_of
        log.error("provider.unusable", provider_id=str(provider.id), reason=message)
        route = f"provider {provider.type}"
        self._reporter.report(
            ProviderFailedError(f"The provider '{provider.name}' cannot be used: {message}")
            if isinstance(error, StoaError)
            else error,
            Circumstances(route=route),
        )

    def _definition(self, provider: Provider) -> ProviderDefinition:
        whole = {**provider.configuration, **self._opened(provider)}
        return self._read(provider.type, provider.name, whole)

    def _reading_problem(self, provider: Provider) -> str | None:
        try:
            self._definition(provider)
        except StoaError as error:
            return error.message
        return None

    def _opened(self, provider: Provider) -> dict[str, object]:
        if provider.sealed is None:
            return {}
        opened: dict[str, object] = json.loads(
            self._secrets.open(Sealed(provider.sealed), place=provider.place)
        )
        return opened

    def _reach(self, provider: Provider) -> Callable[[str], str | None]:
        def reach(address: str) -> str | None:
            allowed = provider.may_reach_private or self._allows_private()
            return refusal(address, allow_private=allowed)

        return reach

    def _retire(self, running: _Running) -> None:
        if running.lent is not None:
            task = asyncio.create_task(running.lent.retire(self._grace_s))
            self._retiring[task] = running.lent
            task.add_done_callback(self._retired)

    def _retired(self, task: asyncio.Task[None]) -> None:
        self._retiring.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("provider.not_stopped", reason=repr(error))


@dataclass(frozen=True, slots=True)
class AllProviders(ModelProviders):
    """Those of the configuration, and those of the registries."""

    configured: ModelProviders
    registered: ModelProviders

    def get(self, model: ServedModel) -> ModelProvider:
        return (self.configured if model.owner is None else self.registered).get(model)


def _is_same(running: _Running, entry: ProviderInUse) -> bool:
    """Whether the provider that runs is what the registry has now."""
    old, new = running.made_of, entry.provider
    same = replace(old, is_enabled=new.is_enabled, updated_at=new.updated_at) == new
    known = PROVIDER_TYPES.get(new.type)
    if known is None or not known.holds_models:
        return same
    return same and running.models == entry.models
