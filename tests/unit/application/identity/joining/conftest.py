from collections.abc import Iterator

import pytest

from application.shared.correlation import Origin, origin
from tests.unit.application.identity.joining.porch import Porch


@pytest.fixture
def porch() -> Porch:
    return Porch()


@pytest.fixture(autouse=True)
def from_afar() -> Iterator[None]:
    """As the HTTP side says where a request comes from."""
    token = origin.set(Origin(address="192.0.2.1", user_agent="test"))
    yield
    origin.reset(token)
