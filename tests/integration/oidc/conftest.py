from collections.abc import AsyncIterator

import pytest

from tests.fakes.identity_provider import IdentityProvider


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider() as provider:
        yield provider
