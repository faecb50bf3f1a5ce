"""Settings whose effect no door shows: what the container builds has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dishka import AsyncContainer, Provider, Scope
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from adapters.catalog.definitions import LoadedCatalog
from adapters.encryption.aes_gcm import AesGcmSecretBox
from adapters.providers.definition import ProviderDefinition, Surroundings
from adapters.providers.registry import ConfiguredProviders
from adapters.redis.rate_limits import RedisRateLimits
from application.inference.allowance_ports import RateLimits
from application.inference.ports import ModelProvider
from application.operations.ports import SecretBox
from domain.models.served_model import ServedModel
from entrypoints.container import make_container
from entrypoints.database import DatabaseUrl
from entrypoints.settings import Settings
from entrypoints.settings_loading import load_settings
from tests.fakes.providers import RecordingProvider

NOWHERE = DatabaseUrl("postgresql://stoa@/stoa?host=/nonexistent")


@dataclass
class RecordingDefinition(ProviderDefinition):
    name: str = "recording"
    seen: list[Surroundings] = field(default_factory=list)

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        self.seen.append(surroundings)
        return RecordingProvider()


@asynccontextmanager
async def container_of(
    settings: Settings, *definitions: ProviderDefinition
) -> AsyncIterator[AsyncContainer]:
    database = Provider(scope=Scope.APP)
    database.provide(lambda: NOWHERE, provides=DatabaseUrl, override=True)
    catalog = LoadedCatalog(providers=definitions, models=())
    container = make_container(settings, catalog, database)
    try:
        yield container
    finally:
        await container.close()


async def test_local_models_get_their_threads_and_their_queue() -> None:
    definition = RecordingDefinition()

    async with container_of(Settings(local_threads=3, local_queue_size=7), definition) as container:
        await container.get(ConfiguredProviders)

    (seen,) = definition.seen
    assert (seen.local_threads, seen.local_queue_size) == (3, 7)


async def test_the_pool_keeps_as_many_connections_as_were_set() -> None:
    async with container_of(Settings(database_pool_size=3)) as container:
        engine = await container.get(AsyncEngine)
        pool = engine.sync_engine.pool

        assert isinstance(pool, QueuePool)
        assert pool.size() == 3


async def test_limits_are_counted_in_the_redis_that_was_set() -> None:
    async with container_of(Settings(redis_url="unix:///nonexistent/redis.sock")) as container:
        limits = await container.get(RateLimits)

        assert isinstance(limits, RedisRateLimits)


async def test_the_previous_secret_key_still_opens_what_it_sealed() -> None:
    old = AesGcmSecretBox("old")

    async with container_of(Settings(secret_key="new", secret_key_previous="old")) as container:
        box = await container.get(SecretBox)
        reopened = box.open(old.seal("hunter2", place="here"), place="here")
        resealed = box.seal("hunter2", place="here")

    assert reopened == "hunter2"
    assert AesGcmSecretBox("new").open(resealed, place="here") == "hunter2"


async def test_what_the_environment_says_lies_beneath_the_runtime_settings() -> None:
    loaded = load_settings({"STOA_RETENTION_EVENTS_DAYS": "12", "STOA_ENABLE_TOOLS": ""}, None)

    assert loaded.runtime == {"retention_events_days": 12}
