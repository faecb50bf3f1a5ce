import pytest

from tests.unit.application.identity.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
