from datetime import UTC, datetime
from uuid import UUID

from dishka import FromDishka
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from adapters.http.parameters import (
    IdParameter,
    PageParameter,
    PageSizeParameter,
    invalid,
    parse_id,
)
from adapters.http.prices.schemas import (
    ModelPricePage,
    SetModelPriceBody,
    SetPriceBody,
    SetPriceList,
    SetPriceView,
)
from application.models.pricing.list_prices import (
    ListPrices,
    ListPricesQuery,
    ListSetPrices,
    ListSetPricesQuery,
)
from application.models.pricing.remove_price import RemovePrice, RemovePriceCommand
from application.models.pricing.set_price import SetPrice, SetPriceCommand
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.models.errors import PriceNotFoundError
from domain.models.registry.errors import ModelNotRegisteredError
from domain.shared.ids import ModelId, PriceId


class PricesController(Controller):
    path = "/prices"
    tags = ("models",)

    @get(operation_id="list_prices", summary="List what models cost")
    async def list_prices(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListPrices],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
    ) -> ModelPricePage:
        """Lists what every model costs the team now that can be called, and where each price comes
        from. A model without a known price is `unpriced`; its calls are counted apart."""
        query = ListPricesQuery(actor=actor, page=PageRequest(page=page, page_size=page_size))
        return ModelPricePage.of(await use_case(query))

    @get("/set", operation_id="list_set_prices", summary="List the prices that were set")
    async def list_set_prices(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListSetPrices],
        model: FromQuery[str | None] = None,
    ) -> SetPriceList:
        """Lists the prices that the team has set, of one model or of all, also those that begin
        later or have been followed by others."""
        found = await use_case(ListSetPricesQuery(actor=actor, which=_which(model)))
        return SetPriceList(items=tuple(map(SetPriceView.of, found)))

    @post("/set", operation_id="set_price", summary="Set a price")
    async def set_price(
        self,
        data: JSONBody[SetPriceBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[SetPrice],
    ) -> SetPriceView:
        """Sets what a model costs the team from a moment on, instead of what is known of its price.
        Calls that were made keep theirs. Models of the configuration need the permission
        `server.manage`."""
        which = _which(data.model) or data.model
        return SetPriceView.of(await use_case(_command(actor, which, data)))

    @delete("/set/{price_id:str}", operation_id="remove_price", summary="Remove a price")
    async def remove_price(
        self,
        price_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[RemovePrice],
    ) -> None:
        """Removes a price that the team has set; what held before it holds again."""
        await use_case(RemovePriceCommand(actor=actor, price_id=_price_id(price_id)))


class ModelPricesController(Controller):
    path = "/models/{model_id:str}/prices"
    tags = ("models",)

    @get(operation_id="list_model_prices", summary="List the prices of a model")
    async def list_model_prices(
        self,
        model_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListSetPrices],
    ) -> SetPriceList:
        """Lists the prices that the team has set for a model of its registry."""
        query = ListSetPricesQuery(actor=actor, which=_model_id(model_id))
        return SetPriceList(items=tuple(map(SetPriceView.of, await use_case(query))))

    @post(operation_id="set_model_price", summary="Set the price of a model")
    async def set_model_price(
        self,
        model_id: IdParameter,
        data: JSONBody[SetModelPriceBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[SetPrice],
    ) -> SetPriceView:
        """Sets what a model of the registry costs from a moment on, for all who may use it."""
        return SetPriceView.of(await use_case(_command(actor, _model_id(model_id), data)))

    @delete(
        "/{price_id:str}", operation_id="remove_model_price", summary="Remove a price of a model"
    )
    async def remove_model_price(
        self,
        model_id: IdParameter,
        price_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[RemovePrice],
    ) -> None:
        """Removes a price that was set for the model; what held before it holds again."""
        command = RemovePriceCommand(
            actor=actor, price_id=_price_id(price_id), of=_model_id(model_id)
        )
        await use_case(command)


def _command(actor: Actor, which: ModelId | str, body: SetModelPriceBody) -> SetPriceCommand:
    at = body.effective_from
    if at is not None and at.tzinfo is None:
        raise invalid("effective_from", "needs a time zone offset")
    return SetPriceCommand(
        actor=actor,
        which=which,
        prices=body.to_prices(),
        effective_from=None if at is None else datetime.astimezone(at, UTC),
    )


def _which(text: str | None) -> ModelId | str | None:
    """An id where it looks like one: no name of a model does."""
    try:
        return None if text is None else ModelId(UUID(text))
    except ValueError:
        return text


def _model_id(text: str) -> ModelId:
    return ModelId(parse_id(text, ModelNotRegisteredError))


def _price_id(text: str) -> PriceId:
    return PriceId(parse_id(text, PriceNotFoundError))
