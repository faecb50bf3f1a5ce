"""Providers are asked for a sign of life, those of the configuration and those of teams."""

from dataclasses import replace

from adapters.catalog.registered import RegisteredConfigurations
from adapters.providers.live.signs_of_life import ListingProbe
from tests.fakes.clock import FrozenClock
from tests.fakes.openai_server import running_openai_server
from tests.integration.providers.test_registry_providers import KEY, MODEL, Bench, real, serve

TYPE = "openai-compatible"


async def test_a_provider_of_a_team_is_alive_while_it_answers() -> None:
    live = Bench().providers(RegisteredConfigurations().definition)
    await live.start()
    probe = ListingProbe((), {}, live, FrozenClock())

    async with running_openai_server() as server:
        await serve(live, real(f"{server.url}/v1", may_reach_private=True))
        assert await probe.is_alive(MODEL)
        server.key = "another"
        assert not await probe.is_alive(MODEL)

    assert not await probe.is_alive(MODEL)
    assert not await probe.is_alive(replace(MODEL, provider="removed"))
    await live.stop()


async def test_a_provider_of_the_configuration_is_alive_while_it_answers() -> None:
    live = Bench().providers()
    async with running_openai_server() as server:
        given = {"base_url": f"{server.url}/v1", "api_key": KEY}
        definition = RegisteredConfigurations().definition(TYPE, MODEL.provider, given)
        probe = ListingProbe((definition,), {MODEL.provider: TYPE}, live, FrozenClock())
        assert await probe.is_alive(replace(MODEL, owner=None))

    assert not await probe.is_alive(replace(MODEL, owner=None))
