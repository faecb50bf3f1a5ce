from dataclasses import dataclass

from application.inference.responses.ports import StoredResponses
from application.inference.responses.viewing import visible
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.inference.stored_response import Item
from domain.shared.errors import FieldError, InvalidError

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInputItemsQuery:
    """``after`` is the id of the item that the slice begins behind, in the order asked for."""

    actor: Actor
    name: str
    limit: int = 20
    is_ascending: bool = False
    after: str | None = None


@dataclass(frozen=True, slots=True)
class InputItems:
    items: tuple[Item, ...]
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInputItems:
    """Lists what was sent with a response, the newest items first unless asked otherwise; who may
    see the response may see them."""

    responses: StoredResponses
    clock: Clock

    async def __call__(self, query: ListInputItemsQuery) -> InputItems:
        if not 1 <= query.limit <= MOST:
            raise _wrong("limit", f"Invalid 'limit': expected a value from 1 to {MOST}.")
        response = await visible(self.responses, query.actor, query.name, self.clock.now())
        items = response.input if query.is_ascending else response.input[::-1]
        if query.after is not None:
            ids = [item.id for item in items]
            if query.after not in ids:
                raise _wrong("after", f"No item with id '{query.after}' found.")
            items = items[ids.index(query.after) + 1 :]
        return InputItems(items[: query.limit], has_more=len(items) > query.limit)


def _wrong(param: str, message: str) -> InvalidError:
    return InvalidError(message, param=param, errors=(FieldError(param, message),))
