"""Responses that were kept, as OpenAI shows them."""

from typing import Annotated, Literal, Self

import msgspec
from dishka import FromDishka
from litestar import Controller, MediaType, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Raw, Struct

from application.inference.responses.cancel_response import CancelResponse, CancelResponseCommand
from application.inference.responses.delete_response import DeleteResponse, DeleteResponseCommand
from application.inference.responses.get_response import GetResponse, GetResponseQuery
from application.inference.responses.list_input_items import (
    MOST,
    InputItems,
    ListInputItems,
    ListInputItemsQuery,
)
from application.shared.actor import Actor
from domain.shared.errors import FieldError, InvalidError

JsonObject = dict[str, object]
ItemLimit = Annotated[
    int, QueryParameter(schema_extra={"minimum": 1, "maximum": MOST}, required=False)
]


class InputItemList(Struct, kw_only=True):
    """OpenAI's shape of a list; the ids are empty where the list is."""

    object: Literal["list"]
    data: list[JsonObject]
    first_id: str
    last_id: str
    has_more: bool


class _WrittenList(Struct, kw_only=True):
    """The same, with its items byte for byte."""

    data: list[Raw]
    first_id: str
    last_id: str
    has_more: bool
    object: Literal["list"] = "list"

    @classmethod
    def of(cls, listed: InputItems) -> Self:
        items = listed.items
        return cls(
            data=[Raw(item.json.encode()) for item in items],
            first_id=items[0].id if items else "",
            last_id=items[-1].id if items else "",
            has_more=listed.has_more,
        )


class DeletedResponse(Struct, kw_only=True):
    id: str
    object: Literal["response"]
    deleted: bool


class ResponsesController(Controller):
    path = "/responses"
    tags = ("data plane",)

    @get("/{response_id:str}", operation_id="get_response", summary="Show a kept response")
    async def get_response(
        self,
        response_id: FromPath[str],
        actor: NamedDependency[Actor],
        use_case: FromDishka[GetResponse],
        stream: FromQuery[bool] = False,
    ) -> Response[JsonObject]:
        """Shows a response as it was answered. It is not streamed again: `stream` must not be
        true."""
        _refuse_stream(stream=stream)
        found = await use_case(GetResponseQuery(actor=actor, name=response_id))
        return _json(found.document.encode())

    @delete(
        "/{response_id:str}",
        operation_id="delete_response",
        summary="Delete a kept response",
        status_code=200,
    )
    async def delete_response(
        self,
        response_id: FromPath[str],
        actor: NamedDependency[Actor],
        use_case: FromDishka[DeleteResponse],
    ) -> DeletedResponse:
        """Deletes a response that the caller made. Responses that go on from it stay, but nobody
        can go on from those."""
        await use_case(DeleteResponseCommand(actor=actor, name=response_id))
        return DeletedResponse(id=response_id, object="response", deleted=True)

    @post(
        "/{response_id:str}/cancel",
        operation_id="cancel_response",
        summary="Cancel a response",
        status_code=200,
    )
    async def cancel_response(
        self,
        response_id: FromPath[str],
        actor: NamedDependency[Actor],
        use_case: FromDishka[CancelResponse],
    ) -> None:
        """Refused for every response: none are made in the background. Closing the connection
        cancels a response that is being made."""
        await use_case(CancelResponseCommand(actor=actor, name=response_id))

    @get(
        "/{response_id:str}/input_items",
        operation_id="list_response_input_items",
        summary="List what a response was asked with",
    )
    async def list_input_items(
        self,
        response_id: FromPath[str],
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListInputItems],
        *,
        limit: ItemLimit = 20,
        order: FromQuery[Literal["asc", "desc"]] = "desc",
        after: FromQuery[str | None] = None,
    ) -> Response[InputItemList]:
        """Lists the items that were sent with a response, without those of the responses before
        it."""
        query = ListInputItemsQuery(
            actor=actor, name=response_id, limit=limit, is_ascending=order == "asc", after=after
        )
        return _json(msgspec.json.encode(_WrittenList.of(await use_case(query))))


def _json(body: bytes) -> Response:  # type: ignore[type-arg]  # what the bytes are, is declared
    return Response(body, media_type=MediaType.JSON)


def _refuse_stream(*, stream: bool) -> None:
    if stream:
        message = "Kept responses cannot be streamed again; ask for them without 'stream'."
        raise InvalidError(message, param="stream", errors=(FieldError("stream", message),))
