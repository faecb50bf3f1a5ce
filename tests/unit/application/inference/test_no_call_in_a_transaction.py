import pytest

from tests.fakes.identity import InMemoryIdentityUnitOfWork
from tests.fakes.providers import RecordingProvider
from tests.unit.application.inference.scene import Scene


async def test_a_provider_notices_that_it_is_called_inside_a_unit_of_work(scene: Scene) -> None:
    await scene.invoke()
    [request] = scene.provider.requests
    uow = InMemoryIdentityUnitOfWork()
    provider = RecordingProvider(uow)

    async with uow:
        with pytest.raises(AssertionError, match="inside a unit of work"):
            await provider.complete(request)

    assert provider.requests == []
