from typing import Any

import pytest

from application.inference.call_policy import AUTO, KIND_OF_OPERATION, CallPolicy, CallWishes
from application.inference.ports import Operation
from domain.inference.errors import RetrievalDisabledError, ToolsDisabledError
from domain.models.errors import ModelNotAllowedError, ModelNotFoundError
from domain.models.served_model import ModelKind, ServedModel
from domain.operations.model_settings import (
    DEFAULT_CHAT_MODEL,
    DEFAULT_EMBEDDING_MODEL,
    DEFAULT_OF_KIND,
)
from domain.operations.runtime_settings import (
    ENABLE_RETRIEVAL,
    ENABLE_TOOLS,
)
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_model, an_actor
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.unit.application.inference.scene import Scene

MODELS = (
    a_model(name="small"),
    a_model(name="large"),
    a_model(name="vectors", kind=ModelKind.EMBEDDING),
    a_model(name="more vectors", kind=ModelKind.EMBEDDING),
)


class Desk:
    def __init__(self, *models: ServedModel) -> None:
        self.settings = InMemoryRuntimeSettings()
        self.policy = CallPolicy(catalog=InMemoryModelCatalog(*models), settings=self.settings)

    def model_for(self, **fields: Any) -> str:
        defaults: dict[str, Any] = {
            "actor": an_actor(),
            "operation": Operation.CHAT,
            "model": "default",
        }
        found = self.policy.named(CallWishes(**(defaults | fields)))
        return AUTO if found is None else found.name


@pytest.fixture
def desk() -> Desk:
    return Desk(*MODELS)


def test_tools_are_taken_unless_the_team_switched_them_off(desk: Desk) -> None:
    assert desk.model_for(offers_tools=True) == "small"

    desk.settings.set(ENABLE_TOOLS, False, OTHER_TEAM_ID)
    assert desk.model_for(offers_tools=True) == "small"

    desk.settings.set(ENABLE_TOOLS, False, TEAM_ID)
    assert desk.model_for() == "small"
    with pytest.raises(ToolsDisabledError):
        desk.model_for(offers_tools=True)


def test_retrieval_is_taken_unless_the_team_switched_it_off(desk: Desk) -> None:
    assert desk.model_for(asks_retrieval=True) == "small"

    desk.settings.set(ENABLE_RETRIEVAL, False, TEAM_ID)

    assert desk.model_for(offers_tools=True) == "small"
    with pytest.raises(RetrievalDisabledError):
        desk.model_for(asks_retrieval=True)


def test_without_a_choice_of_the_team_the_default_is_the_first_model_of_its_kind(
    desk: Desk,
) -> None:
    assert desk.model_for() == "small"
    assert desk.model_for(operation=Operation.EMBEDDING) == "vectors"


def test_without_a_choice_of_the_team_a_model_that_is_called_so_is_the_default() -> None:
    desk = Desk(*MODELS, a_model(name="favourite", aliases=("default",)))

    assert desk.model_for() == "favourite"
    assert desk.model_for(operation=Operation.EMBEDDING) == "vectors"


def test_the_team_chooses_its_defaults(desk: Desk) -> None:
    desk.settings.set(DEFAULT_CHAT_MODEL, "large", TEAM_ID)
    desk.settings.set(DEFAULT_EMBEDDING_MODEL, "more vectors", TEAM_ID)

    assert desk.model_for() == "large"
    assert desk.model_for(operation=Operation.EMBEDDING) == "more vectors"
    assert desk.model_for(actor=an_actor(team_id=OTHER_TEAM_ID)) == "small"


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_has_a_kind_of_models_with_a_default(operation: Operation) -> None:
    kind = KIND_OF_OPERATION[operation]
    desk = Desk(a_model(name="first", kind=kind), a_model(name="second", kind=kind))

    desk.settings.set(DEFAULT_OF_KIND[kind], "second", TEAM_ID)

    assert desk.model_for(operation=operation) == "second"


def test_a_default_that_is_served_no_more_is_named(desk: Desk) -> None:
    desk.settings.set(DEFAULT_CHAT_MODEL, "gone", TEAM_ID)

    with pytest.raises(ModelNotFoundError, match="gone"):
        desk.model_for()


def test_there_is_no_default_where_nothing_of_the_kind_is_served() -> None:
    with pytest.raises(ModelNotFoundError, match="default"):
        Desk().model_for()


def test_the_allow_list_of_a_key_holds_for_the_default_too(desk: Desk) -> None:
    with pytest.raises(ModelNotAllowedError):
        desk.model_for(actor=an_actor(allowed_models=("large",)))


async def test_a_refused_call_is_on_record_and_reaches_no_provider(scene: Scene) -> None:
    scene.settings.set(ENABLE_TOOLS, False, TEAM_ID)

    with pytest.raises(ToolsDisabledError):
        await scene.invoke(offers_tools=True)

    assert scene.row.error_code == "TOOLS_DISABLED"
    assert not scene.provider.requests
