import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from adapters.providers.definition import Surroundings
from adapters.providers.live.discovery import discover
from adapters.providers.live.lent_provider import GRACE_S, LentProvider
from adapters.providers.live.provider_builder import (
    DefinitionReader,
    ProviderBuilder,
    RunningProvider,
)
from adapters.providers.transport.reach import within_reach
from adapters.providers.types import PROVIDER_TYPES
from application.inference.ports import ModelProvider, ModelProviders
from application.models.registry.ports import (
    Offer,
    ProviderFollower,
    ProviderInUse,
    ProviderOffers,
)
from application.operations.ports import SecretBox
from application.operations.records.error_reporter import ErrorReporter
from domain.inference.errors import ProviderFailedError
from domain.models.registry.provider import Provider
from domain.models.served_model import ServedModel
from domain.shared.ids import ProviderId, TeamId

log = structlog.get_logger()


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
        first_retry_s: float = 1.0,
        longest_retry_s: float = 60.0,
    ) -> None:
        """``allows_private`` is asked whenever a connection is made. What cannot be built is tried
        again after ``first_retry_s``, and after twice as long each time."""
        self._clock = surroundings.clock
        self._builder = ProviderBuilder(
            read=read,
            surroundings=surroundings,
            secrets=secrets,
            reporter=reporter,
            allows_private=allows_private,
        )
        self._grace_s = grace_s
        self._first_retry_s = first_retry_s
        self._longest_retry_s = longest_retry_s
        self._told: dict[TeamId, Sequence[ProviderInUse]] = {}
        self._is_started = False
        self._teams: dict[TeamId, dict[str, RunningProvider]] = {}
        self._by_id: dict[ProviderId, RunningProvider] = {}
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
        return None if provider is None else self._builder.reading_problem(provider)

    @property
    def standing(self) -> tuple[int, int]:
        """How many providers there are, and how many of them cannot be used."""
        running = self._by_id.values()
        return len(running), sum(one.lent is None for one in running)

    async def of(self, provider: Provider) -> Sequence[Offer]:
        definition = self._builder.definition(provider)
        with within_reach(self._builder.reach(provider)):
            return await discover(definition, provider.type, self._clock)

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
        mending = [one.mending for one in self._by_id.values() if one.mending is not None]
        for task in (*self._retiring, *mending):
            task.cancel()
        await asyncio.gather(*mending, return_exceptions=True)
        lent = [running.lent for running in self._by_id.values() if running.lent is not None]
        lent += self._retiring.values()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await asyncio.gather(*(one.stop() for one in lent))

    def _running(self, model: ServedModel) -> RunningProvider:
        running = model.owner and self._teams.get(model.owner, {}).get(model.provider)
        if not running:
            raise ProviderFailedError(f"The provider '{model.provider}' was removed.")
        return running

    async def _follow(self, team_id: TeamId, entries: Sequence[ProviderInUse]) -> None:
        gone = {one.made_of.id: one for one in self._teams.get(team_id, {}).values()}
        now: dict[str, RunningProvider] = {}
        for entry in entries:
            old = gone.get(entry.provider.id)
            if old is not None and _is_same(old, entry):
                # What only the registry needs to know has changed at most.
                old.made_of = entry.provider
                del gone[entry.provider.id]
            else:
                old = RunningProvider(made_of=entry.provider, models=entry.models)
                await self._builder.build(old)
                if old.lent is None:
                    old.mending = asyncio.create_task(self._mend(old))
            now[entry.provider.name] = old
        self._teams[team_id] = now
        if not now:
            del self._teams[team_id]
        for running in gone.values():
            self._by_id.pop(running.made_of.id, None)
            self._retire(running)
        self._by_id |= {running.made_of.id: running for running in now.values()}

    async def _mend(self, running: RunningProvider) -> None:
        """What was missing may have come: weights, a file of certificates, the key of secrets."""
        wait = self._first_retry_s
        while running.lent is None:
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._longest_retry_s)
            await self._builder.build(running)
        log.info("provider.usable_again", provider_id=str(running.made_of.id))

    def _retire(self, running: RunningProvider) -> None:
        if running.mending is not None:
            running.mending.cancel()
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


def _is_same(running: RunningProvider, entry: ProviderInUse) -> bool:
    """Whether the provider that runs is what the registry has now."""
    old, new = running.made_of, entry.provider
    same = replace(old, is_enabled=new.is_enabled, updated_at=new.updated_at) == new
    known = PROVIDER_TYPES.get(new.type)
    if known is None or not known.holds_models:
        return same
    return same and running.models == entry.models
