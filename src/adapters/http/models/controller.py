from typing import Annotated

from dishka import FromDishka
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter

from adapters.http.models.schemas import (
    CreateModelBody,
    RegisteredModelPage,
    RegisteredModelView,
    UpdateModelBody,
)
from adapters.http.parameters import (
    IdFilter,
    IdParameter,
    PageParameter,
    PageSizeParameter,
    invalid,
    parse_id,
    parse_id_parameter,
)
from application.models.registry.models.create_model import CreateModel, CreateModelCommand
from application.models.registry.models.delete_model import DeleteModel, DeleteModelCommand
from application.models.registry.models.entries import ModelChange
from application.models.registry.models.get_registered_model import (
    GetRegisteredModel,
    GetRegisteredModelQuery,
)
from application.models.registry.models.list_registered_models import (
    ListRegisteredModels,
    ListRegisteredModelsQuery,
)
from application.models.registry.models.update_model import UpdateModel, UpdateModelCommand
from application.models.registry.ports import ModelFilter, RegistrySort
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.models.registry.errors import ModelNotRegisteredError
from domain.models.registry.model import ModelState
from domain.models.served_model import ModelKind
from domain.shared.ids import ModelId, ProviderId

# The framework keeps the name `state` for itself.
StateParameter = Annotated[
    str | None,
    QueryParameter(
        name="state", schema_extra={"enum": [str(state) for state in ModelState]}, required=False
    ),
]


class ModelsController(Controller):
    path = "/models"
    tags = ("models",)

    @post(operation_id="create_model", summary="Set up a model")
    async def create_model(
        self,
        data: JSONBody[CreateModelBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[CreateModel],
    ) -> RegisteredModelView:
        """Serves a model of one of the team's providers under a `name` of the team's own. One that
        is `public` is served to the other teams of the server too, which needs the permission
        `server.manage`."""
        command = CreateModelCommand(actor=actor, draft=data.to_draft())
        return RegisteredModelView.of(await use_case(command))

    @get(operation_id="list_registered_models", summary="List the models of the registry")
    async def list_models(
        self,
        *,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListRegisteredModels],
        kind: FromQuery[ModelKind | None] = None,
        in_state: StateParameter = None,
        provider_id: IdFilter = None,
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
        sort: FromQuery[RegistrySort] = RegistrySort.NAME,
    ) -> RegisteredModelPage:
        """Lists the models of the team's registry, also those that are switched off or archived.
        `GET /v1/models` lists what can be called, from wherever it is."""
        provider = parse_id_parameter("provider_id", provider_id)
        where = ModelFilter(
            kind=kind,
            state=_state_of(in_state),
            provider_id=None if provider is None else ProviderId(provider),
        )
        query = ListRegisteredModelsQuery(
            actor=actor, where=where, page=PageRequest(page=page, page_size=page_size), sort=sort
        )
        return RegisteredModelPage.of(await use_case(query))

    @get(
        "/{model_id:str}",
        operation_id="get_registered_model",
        summary="Show a model of the registry",
    )
    async def get_model(
        self,
        model_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[GetRegisteredModel],
    ) -> RegisteredModelView:
        """Shows a model of the team's registry."""
        query = GetRegisteredModelQuery(actor=actor, which=_model_id(model_id))
        return RegisteredModelView.of(await use_case(query))

    @patch("/{model_id:str}", operation_id="update_model", summary="Change a model")
    async def update_model(
        self,
        model_id: IdParameter,
        data: JSONBody[UpdateModelBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateModel],
    ) -> RegisteredModelView:
        """Changes what is given. A model in the `state` `disabled` refuses calls until it is
        `enabled`; an `archived` one changes by being restored only."""
        command = UpdateModelCommand(
            actor=actor, which=_model_id(model_id), change=data.to_change()
        )
        return RegisteredModelView.of(await use_case(command))

    @delete("/{model_id:str}", operation_id="delete_model", summary="Remove a model")
    async def delete_model(
        self,
        model_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[DeleteModel],
    ) -> None:
        """Removes a model that was never called and that no route names; others can be archived."""
        await use_case(DeleteModelCommand(actor=actor, which=_model_id(model_id)))

    @post(
        "/{model_id:str}/archive",
        operation_id="archive_model",
        summary="Archive a model",
        status_code=200,
    )
    async def archive_model(
        self,
        model_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateModel],
    ) -> RegisteredModelView:
        """Takes a model out of service for good, and keeps it for the calls that it has answered.
        Its name stays taken."""
        return await _move(use_case, actor, model_id, ModelState.ARCHIVED)

    @post(
        "/{model_id:str}/restore",
        operation_id="restore_model",
        summary="Restore an archived model",
        status_code=200,
    )
    async def restore_model(
        self,
        model_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateModel],
    ) -> RegisteredModelView:
        """Takes an archived or disabled model back into service."""
        return await _move(use_case, actor, model_id, ModelState.ENABLED)


async def _move(
    use_case: UpdateModel, actor: Actor, model_id: str, state: ModelState
) -> RegisteredModelView:
    command = UpdateModelCommand(
        actor=actor, which=_model_id(model_id), change=ModelChange(state=state)
    )
    return RegisteredModelView.of(await use_case(command))


def _model_id(text: str) -> ModelId:
    return ModelId(parse_id(text, ModelNotRegisteredError))


def _state_of(text: str | None) -> ModelState | None:
    try:
        return None if text is None else ModelState(text)
    except ValueError:
        raise invalid("state", f"is one of {', '.join(ModelState)}") from None
