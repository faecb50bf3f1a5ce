"""``GET /v1/models``: what is served, as OpenAI and Anthropic list it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from dishka import FromDishka
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, HeaderParameter
from msgspec import Struct

from application.models.get_model import GetModel, GetModelQuery
from application.models.list_models import ListModels
from application.shared.actor import Actor
from domain.models.route import Route
from domain.models.served_model import ModelKind, ServedModel

# Whoever asks for a route need not know whose models are behind it.
ROUTES_OWNER = "stoa"

AnthropicVersion = Annotated[
    str | None,
    HeaderParameter(
        name="anthropic-version", description="Asks for Anthropic's shape.", required=False
    ),
]


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
    def of(cls, model: ServedModel | Route, since: datetime) -> Self:
        served = model if isinstance(model, ServedModel) else None
        return cls(
            id=model.name,
            object="model",
            created=int(since.timestamp()),
            owned_by=served.provider if served else ROUTES_OWNER,
            kind=model.kind,
            aliases=model.aliases,
            context_length=served.context_length if served else None,
        )


class ModelListView(Struct, kw_only=True):
    object: Literal["list"]
    data: tuple[ModelView, ...]


class AnthropicModelView(Struct, kw_only=True):
    """A model as Anthropic shows one."""

    type: Literal["model"]
    id: str
    display_name: str
    created_at: datetime

    @classmethod
    def of(cls, model: ServedModel | Route, since: datetime) -> Self:
        return cls(type="model", id=model.name, display_name=model.name, created_at=since)


class AnthropicModelListView(Struct, kw_only=True):
    data: tuple[AnthropicModelView, ...]
    has_more: bool
    first_id: str | None
    last_id: str | None

    @classmethod
    def of(cls, models: Sequence[ServedModel | Route], since: datetime) -> Self:
        names = [model.name for model in models]
        return cls(
            data=tuple(AnthropicModelView.of(model, since) for model in models),
            has_more=False,
            first_id=names[0] if names else None,
            last_id=names[-1] if names else None,
        )


def model_handlers(since: datetime) -> list[HTTPRouteHandler]:
    """``since`` is when this server began to serve."""

    @get("/models", operation_id="list_models", summary="List the models", tags=("models",))
    async def list_models(
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListModels],
        anthropic_version: AnthropicVersion = None,
    ) -> ModelListView | AnthropicModelListView:
        """Lists the models and routes that the key may use: as OpenAI does, or as Anthropic does
        for a request that has `anthropic-version`. The latter are those that can chat."""
        models = await use_case(actor)
        if anthropic_version is not None:
            chats = [model for model in models if model.kind is ModelKind.CHAT]
            return AnthropicModelListView.of(chats, since)
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
        name: FromPath[str],
        actor: NamedDependency[Actor],
        use_case: FromDishka[GetModel],
        anthropic_version: AnthropicVersion = None,
    ) -> ModelView | AnthropicModelView:
        """Shows one model or route by its name or an alias."""
        query = GetModelQuery(actor=actor, name=name.removeprefix("/"))
        model = await use_case(query)
        if anthropic_version is not None:
            return AnthropicModelView.of(model, since)
        return ModelView.of(model, since)

    return [list_models, get_model]
