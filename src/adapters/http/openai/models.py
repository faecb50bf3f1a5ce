"""``GET /v1/models``: what is served, as OpenAI lists it."""

from datetime import datetime
from typing import Literal, Self

from dishka import FromDishka
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from application.models.get_model import GetModel, GetModelQuery
from application.models.list_models import ListModels
from application.shared.actor import Actor
from domain.models.served_model import ModelKind, ServedModel


class ModelView(Struct, kw_only=True):
    """OpenAI's four members, and what Stoa knows besides.

    `created` is when this server began to serve the model, in seconds since 1970.
    """

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    kind: ModelKind
    aliases: tuple[str, ...]
    context_length: int | None

    @classmethod
    def of(cls, model: ServedModel, since: datetime) -> Self:
        return cls(
            id=model.name,
            object="model",
            created=int(since.timestamp()),
            owned_by=model.provider,
            kind=model.kind,
            aliases=model.aliases,
            context_length=model.context_length,
        )


class ModelListView(Struct, kw_only=True):
    object: Literal["list"]
    data: tuple[ModelView, ...]


def model_handlers(since: datetime) -> list[HTTPRouteHandler]:
    """``since`` is when this server began to serve."""

    @get("/models", operation_id="list_models", summary="List the models", tags=("models",))
    async def list_models(
        actor: NamedDependency[Actor], use_case: FromDishka[ListModels]
    ) -> ModelListView:
        """Lists the models that the key may use."""
        models = await use_case(actor)
        return ModelListView(
            object="list", data=tuple(ModelView.of(model, since) for model in models)
        )

    # A path parameter, because names such as `org/model` have slashes.
    @get(
        "/models/{name:path}",
        operation_id="get_model",
        summary="Show a model",
        tags=("models",),
    )
    async def get_model(
        name: FromPath[str], actor: NamedDependency[Actor], use_case: FromDishka[GetModel]
    ) -> ModelView:
        """Shows one model by its name or an alias."""
        query = GetModelQuery(actor=actor, name=name.removeprefix("/"))
        return ModelView.of(await use_case(query), since)

    return [list_models, get_model]
