"""Making providers of what registries say."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from adapters.providers.definition import ProviderDefinition, Surroundings
from adapters.providers.live.lent_provider import LentProvider
from adapters.providers.transport.reach import within_reach
from application.operations.ports import Sealed, SecretBox
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.inference.errors import ProviderFailedError
from domain.models.registry.addresses import refusal
from domain.models.registry.provider import Provider
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError

log = structlog.get_logger()

# Type, name, and configuration with secrets.
DefinitionReader = Callable[[str, str, Mapping[str, object]], ProviderDefinition]


@dataclass(slots=True, kw_only=True)
class RunningProvider:
    """``lent`` is ``None`` for a provider that cannot be built, which is why ``problem`` says, and
    which is tried again by ``mending``."""

    made_of: Provider
    models: tuple[ServedModel, ...]
    lent: LentProvider | None = None
    problem: str | None = None
    mending: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBuilder:
    """``allows_private`` is asked whenever a connection is made."""

    read: DefinitionReader
    surroundings: Surroundings
    secrets: SecretBox
    reporter: ErrorReporter
    allows_private: Callable[[], bool]

    async def build(self, running: RunningProvider) -> None:
        try:
            definition = self.definition(running.made_of)
            with within_reach(self.reach(running.made_of)):
                lent = LentProvider(definition.build(running.models, self.surroundings))
        except StoaError as error:
            self._tell(running, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other providers go on
            self._tell(running, error, "it could not be set up.")
        else:
            await self._start(running, lent)

    async def _start(self, running: RunningProvider, lent: LentProvider) -> None:
        try:
            await lent.start()
        except asyncio.CancelledError:
            await lent.stop()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other providers go on
            self._tell(running, error, None if isinstance(error, StoaError) else "no start.")
            await lent.stop()
        else:
            running.lent, running.problem = lent, None

    def _tell(self, running: RunningProvider, error: Exception, told: str | None = None) -> None:
        message = told or (error.message if isinstance(error, StoaError) else "")
        if running.problem == message:
            return
        running.problem = message
        provider = running.made_of
        log.error("provider.unusable", provider_id=str(provider.id), reason=message)
        route = f"provider {provider.type}"
        self.reporter.report(
            ProviderFailedError(f"The provider '{provider.name}' cannot be used: {message}")
            if isinstance(error, StoaError)
            else error,
            Circumstances(route=route),
        )

    def definition(self, provider: Provider) -> ProviderDefinition:
        whole = {**provider.configuration, **self._opened(provider)}
        return self.read(provider.type, provider.name, whole)

    def reading_problem(self, provider: Provider) -> str | None:
        try:
            self.definition(provider)
        except StoaError as error:
            return error.message
        return None

    def _opened(self, provider: Provider) -> dict[str, object]:
        if provider.sealed is None:
            return {}
        opened: dict[str, object] = json.loads(
            self.secrets.open(Sealed(provider.sealed), place=provider.place)
        )
        return opened

    def reach(self, provider: Provider) -> Callable[[str], str | None]:
        def judge(address: str) -> str | None:
            allowed = provider.may_reach_private or self.allows_private()
            return refusal(address, allow_private=allowed)

        return judge
