from dishka import FromDishka
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from adapters.http.calls.schemas import CallDetailView, CallSlice
from adapters.http.parameters import (
    IdFilter,
    IdParameter,
    LimitParameter,
    SinceParameter,
    UntilParameter,
    parse_id,
    parse_id_parameter,
    parse_time,
)
from application.inference.call_ports import CallFilter
from application.inference.get_call import GetCall, GetCallQuery
from application.inference.list_calls import DEFAULT_LIMIT, ListCalls, ListCallsQuery
from application.shared.actor import Actor
from domain.inference.call import CallStatus
from domain.inference.errors import CallNotFoundError
from domain.shared.ids import CallId, KeyId


class CallsController(Controller):
    path = "/calls"
    tags = ("inference",)

    @get(operation_id="list_calls", summary="List the calls of the ledger")
    async def list_calls(
        self,
        *,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListCalls],
        cursor: FromQuery[str | None] = None,
        limit: LimitParameter = DEFAULT_LIMIT,
        since: SinceParameter = None,
        until: UntilParameter = None,
        key_id: IdFilter = None,
        model: FromQuery[str | None] = None,
        status: FromQuery[CallStatus | None] = None,
    ) -> CallSlice:
        """Lists the team's calls, newest first. Ask again with `cursor=next_cursor` for more."""
        key = parse_id_parameter("key_id", key_id)
        where = CallFilter(
            since=parse_time("since", since),
            until=parse_time("until", until),
            key_id=None if key is None else KeyId(key),
            model=model,
            status=status,
        )
        query = ListCallsQuery(actor=actor, where=where, cursor=cursor, limit=limit)
        return CallSlice.of(await use_case(query))

    @get("/{call_id:str}", operation_id="get_call", summary="Show a call of the ledger")
    async def get_call(
        self,
        call_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[GetCall],
    ) -> CallDetailView:
        """Shows one call. Its id is the `x-request-id` of the answer that it belongs to."""
        wanted = CallId(parse_id(call_id, CallNotFoundError))
        return CallDetailView.of(await use_case(GetCallQuery(actor=actor, call_id=wanted)))
