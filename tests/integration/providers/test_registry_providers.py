"""Providers that come, change and go while calls are running."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from adapters.catalog.registered import RegisteredConfigurations
from adapters.providers.definition import ProviderDefinition, Surroundings
from adapters.providers.health import RegistryProvidersProbe
from adapters.providers.live.discovery import MOST_BYTES, MOST_OFFERS, discover
from adapters.providers.live.registry_providers import AllProviders, RegistryProviders
from application.inference.ports import ModelProvider, Operation, ProviderRequest
from application.models.registry.ports import ProviderInUse
from application.operations.ports import ComponentHealth, HealthStatus
from application.operations.records.error_reporter import ErrorReporter
from domain.inference.errors import (
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderUnreachableError,
)
from domain.models.registry.errors import OffersUnknownError
from domain.models.registry.provider import Provider
from domain.models.served_model import ServedModel
from domain.shared.errors import InvalidError
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_model
from tests.fakes.clock import FrozenClock
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.gate import held_at
from tests.fakes.ids import SequentialIds
from tests.fakes.openai_server import running_openai_server
from tests.fakes.providers import DONE, RecordingProvider, ScriptedModelProviders
from tests.fakes.secret_box import ReversibleSecretBox
from tests.fakes.upstream import json_answer, running_upstream
from tests.fixtures.patience import PATIENCE_S
from tests.registry_builders import a_provider

MODEL = a_model(owner=TEAM_ID, name="talker", upstream_name="talker")
KEY = "sk-fake-canary-1234567890"
CHAT = b'{"model": "talker", "messages": [{"role": "user", "content": "Hi"}]}'


@dataclass(frozen=True, slots=True, kw_only=True)
class StubDefinition(ProviderDefinition):
    name: str
    built: RecordingProvider

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        return self.built


@dataclass
class Bench:
    """What it reads, it builds a recording provider of."""

    made: list[RecordingProvider] = field(default_factory=list)
    log: RecordingErrorLog = field(default_factory=RecordingErrorLog)
    allows_private: bool = False
    missing: str | None = None

    def providers(self, read: Callable[..., ProviderDefinition] | None = None) -> RegistryProviders:
        clock, ids = FrozenClock(), SequentialIds()
        return RegistryProviders(
            read=read or self._read,
            surroundings=Surroundings(clock=clock, ids=ids, local_threads=1, local_queue_size=1),
            secrets=ReversibleSecretBox(),
            reporter=ErrorReporter(errors=self.log, clock=clock, ids=ids),
            allows_private=lambda: self.allows_private,
            grace_s=0.05,
            first_retry_s=0.01,
        )

    def _read(
        self, type_name: str, name: str, configuration: Mapping[str, object]
    ) -> ProviderDefinition:
        if self.missing is not None and self.missing in configuration:
            raise InvalidError(f"'{self.missing}' is missing.")
        if "broken" in configuration:
            raise InvalidError("'configuration.broken' is broken.")
        self.made.append(RecordingProvider())
        return StubDefinition(name=name, built=self.made[-1])


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def live(bench: Bench) -> AsyncIterator[RegistryProviders]:
    live = bench.providers()
    await live.start()
    yield live
    await live.stop()


async def serve(live: RegistryProviders, *providers: Provider) -> None:
    in_use = [ProviderInUse(provider=one, models=(MODEL,)) for one in providers]
    await live.follow({TEAM_ID: in_use})


def a_request(stream: bool = False) -> ProviderRequest:
    return ProviderRequest(
        operation=Operation.CHAT, model=MODEL, body=CHAT, correlation_id="c-1", stream=stream
    )


def found(live: RegistryProviders) -> Callable[[], Awaitable[RegistryProviders]]:
    async def find() -> RegistryProviders:
        return live

    return find


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_provider_serves_its_team_as_soon_as_it_is_followed(
    live: RegistryProviders, bench: Bench
) -> None:
    await serve(live, a_provider())

    await live.get(MODEL).complete(a_request())

    assert len(bench.made[0].requests) == 1
    assert bench.made[0].running
    with pytest.raises(ProviderFailedError, match="was removed"):
        live.get(replace(MODEL, owner=OTHER_TEAM_ID))


async def test_models_of_the_configuration_stay_with_their_providers(
    live: RegistryProviders,
) -> None:
    configured = RecordingProvider()
    both = AllProviders(ScriptedModelProviders(acme=configured), live)

    assert both.get(replace(MODEL, owner=None)) is configured


async def test_what_did_not_change_is_not_built_again(
    live: RegistryProviders, bench: Bench
) -> None:
    provider = a_provider()
    await serve(live, provider)
    before = live.get(MODEL)

    await serve(live, replace(provider, is_enabled=False))

    assert live.get(MODEL) is before
    assert len(bench.made) == 1


async def test_a_replaced_provider_is_stopped_when_its_calls_have_ended(
    live: RegistryProviders, bench: Bench
) -> None:
    provider = a_provider()
    await serve(live, provider)
    old = bench.made[0]
    call = await held_at(old.working, live.get(MODEL).complete(a_request()))

    await serve(live, replace(provider, configuration={"base_url": "https://other.example"}))
    await asyncio.sleep(0.2)
    still_running = old.running
    new_answer = await live.get(MODEL).complete(a_request())
    old.working.open()
    await call
    await until(lambda: not old.running)

    assert still_running
    assert new_answer is bench.made[1].answer
    assert bench.made[1].running


async def test_a_stream_keeps_its_provider_until_it_is_closed(
    live: RegistryProviders, bench: Bench
) -> None:
    provider = a_provider()
    await serve(live, provider)
    stream = await live.get(MODEL).open_stream(a_request(stream=True))

    await live.follow({TEAM_ID: ()})
    await asyncio.sleep(0.2)
    still_running = bench.made[0].running
    blocks = [block async for block in stream]
    await stream.aclose()
    await stream.aclose()
    await until(lambda: not bench.made[0].running)

    assert still_running
    assert blocks[-1] == DONE
    assert stream.report.finish_reason == "stop"


async def test_a_stream_that_nobody_has_any_more_holds_nothing(
    live: RegistryProviders, bench: Bench
) -> None:
    await serve(live, a_provider())
    stream = await live.get(MODEL).open_stream(a_request(stream=True))

    await live.follow({TEAM_ID: ()})
    del stream

    await until(lambda: not bench.made[0].running)


async def test_a_failed_call_holds_nothing(live: RegistryProviders, bench: Bench) -> None:
    await serve(live, a_provider())
    bench.made[0].working.fail(ProviderFailedError("no"))

    for attempt in (live.get(MODEL).complete, live.get(MODEL).open_stream):
        with pytest.raises(ProviderFailedError):
            await attempt(a_request())
    await live.follow({TEAM_ID: ()})

    await until(lambda: not bench.made[0].running)


async def test_what_cannot_be_built_is_told_and_takes_nothing_else_down(
    live: RegistryProviders, bench: Bench
) -> None:
    broken = a_provider(name="broken", configuration={"broken": True})
    unreadable = a_provider(name="unreadable", sealed=b"other key\nplace\nx")

    await serve(live, broken, unreadable, a_provider())

    assert live.problem(broken.id) == "'configuration.broken' is broken."
    assert "cannot be read" in (live.problem(unreadable.id) or "")
    with pytest.raises(ProviderFailedError, match="cannot be used"):
        live.get(replace(MODEL, provider="broken"))
    await live.get(MODEL).complete(a_request())
    assert [one.code for one in bench.log.occurrences] == ["PROVIDER_ERROR"] * 2

    mended = replace(broken, configuration={})
    await serve(live, mended)
    assert live.problem(broken.id) is None


async def test_what_could_not_be_built_is_built_when_what_was_missing_has_come(
    live: RegistryProviders, bench: Bench
) -> None:
    bench.missing = "ca_file"
    provider = a_provider(configuration={"ca_file": "/late.pem"})
    gone = a_provider(name="gone", configuration={"ca_file": "/never.pem"})
    await serve(live, provider, gone)
    await serve(live, provider)
    probe = RegistryProvidersProbe(found(live))
    before = await probe.check()

    bench.missing = None
    await until(lambda: live.problem(provider.id) is None)

    await live.get(MODEL).complete(a_request())
    assert (before.status, before.detail) == (
        HealthStatus.DEGRADED,
        "1 of 1 providers of teams cannot be used and are tried again",
    )
    assert await probe.check() == ComponentHealth()
    assert len(bench.made) == 1
    assert [one.message for one in bench.log.occurrences] == [
        f"The provider '{name}' cannot be used: 'ca_file' is missing." for name in ("acme", "gone")
    ]


async def test_a_process_that_makes_no_calls_builds_nothing(bench: Bench) -> None:
    idle = bench.providers()
    broken = a_provider(name="broken", configuration={"broken": True})

    await serve(idle, a_provider(), broken)

    assert not any(one.running for one in bench.made)
    assert idle.problem(broken.id) == "'configuration.broken' is broken."
    await idle.stop()


def real(url: str, **fields: Any) -> Provider:
    box = ReversibleSecretBox()
    provider = a_provider(type="openai-compatible", configuration={"base_url": url}, **fields)
    sealed = box.seal(f'{{"api_key": "{KEY}"}}', place=provider.place)
    return replace(provider, sealed=sealed.ciphertext, credentials=("api_key",))


@pytest.mark.parametrize("transport", ["pool", "aiohttp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_is_inside_the_servers_network_is_reached_only_if_that_is_allowed(
    bench: Bench, transport: str, host: str
) -> None:
    live = bench.providers(RegisteredConfigurations().definition)
    await live.start()
    async with running_openai_server() as server:
        url = f"{server.url}/v1".replace("127.0.0.1", host)
        provider = real(url)
        provider = replace(
            provider, configuration={**provider.configuration, "transport": transport}
        )
        await serve(live, provider)

        with pytest.raises(ProviderUnreachableError):
            await live.get(MODEL).complete(a_request())
        assert server.seen_keys == []

        bench.allows_private = True
        answer = await live.get(MODEL).complete(a_request())
        bench.allows_private = False
        trusted = replace(provider, may_reach_private=True)
        await serve(live, trusted)
        await live.get(MODEL).complete(a_request())
        await live.stop()

    assert answer.finish_reason == "stop"
    assert set(server.seen_keys) == {f"Bearer {KEY}"}


async def test_a_proxy_inside_the_servers_network_is_out_of_reach(bench: Bench) -> None:
    live = bench.providers(RegisteredConfigurations().definition)
    async with running_upstream() as proxy:
        provider = real("http://8.8.8.8/v1")
        proxied = replace(provider, configuration={**provider.configuration, "proxy": proxy.origin})
        with pytest.raises(ProviderUnreachableError, match="inside the network"):
            await live.of(proxied)

    assert proxy.requests == []


async def test_a_provider_is_asked_what_it_offers(bench: Bench) -> None:
    live = bench.providers(RegisteredConfigurations().definition)
    async with running_openai_server("texts-only") as server:
        provider = real(f"{server.url}/v1", may_reach_private=True)
        offers = await live.of(provider)

        assert [offer.name for offer in offers] == ["talker", "vectors"]
        with pytest.raises(ProviderUnreachableError):
            await live.of(real(f"{server.url}/v1"))
        server.key = "another"
        with pytest.raises(ProviderCredentialsError) as refused:
            await live.of(provider)

    assert KEY not in refused.value.message
    assert await live.of(a_provider(type="scripted", configuration={})) == ()
    with pytest.raises(ProviderUnreachableError):
        await live.of(real("http://127.0.0.1:1/v1", may_reach_private=True))


async def test_what_nobody_could_choose_is_no_offer(bench: Bench) -> None:
    live = bench.providers(RegisteredConfigurations().definition)
    names = ["b", "a\x1b[31m", "", "x" * 501, "a", "b", "new\nline"]
    many = [{"id": f"m{number:06}"} for number in range(MOST_OFFERS + 5)]
    async with running_upstream() as upstream:
        provider = real(upstream.base_url, may_reach_private=True)
        upstream.play(json_answer(json.dumps({"data": [{"id": one} for one in names]}).encode()))
        few = await live.of(provider)
        upstream.play(json_answer(json.dumps({"data": many}).encode()))
        most = await live.of(provider)
        upstream.play(json_answer(b" " * (MOST_BYTES + 1)))
        with pytest.raises(ProviderFailedError, match="is larger than"):
            await live.of(provider)

    assert [offer.name for offer in few] == ["a", "b"]
    assert len(most) == MOST_OFFERS


async def test_what_has_no_way_to_be_asked_is_told() -> None:
    definition = StubDefinition(name="own", built=RecordingProvider())

    with pytest.raises(OffersUnknownError):
        await discover(definition, "openai-compatible", FrozenClock())
