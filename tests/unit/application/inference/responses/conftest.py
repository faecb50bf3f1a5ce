import pytest

from tests.unit.application.inference.responses.responses_scene import ResponsesScene


@pytest.fixture
def scene() -> ResponsesScene:
    return ResponsesScene()
