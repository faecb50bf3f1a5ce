import pytest

from tests.unit.application.identity.people.staff import Staff


@pytest.fixture
def staff() -> Staff:
    return Staff()
