import pytest

from tests.unit.application.inference.scene import Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()
