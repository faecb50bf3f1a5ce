import pytest

from tests.unit.application.identity.sessions.front_desk import FrontDesk


@pytest.fixture
def desk() -> FrontDesk:
    return FrontDesk()
