from collections.abc import AsyncIterator

import pytest

from adapters.providers.local.provider import LocalProvider
from tests.fakes.local_models import MINILM, SMOLLM2, local_provider


@pytest.fixture(scope="session")
async def provider() -> AsyncIterator[LocalProvider]:
    """Both embedded models, loaded once."""
    provider = local_provider(SMOLLM2, MINILM)
    await provider.start()

    yield provider

    await provider.stop()
