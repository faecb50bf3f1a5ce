from functools import partial
from typing import Annotated

from dishka import FromDishka
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery, HeaderParameter, QueryParameter

from adapters.http.connection import AnyRequest
from adapters.http.events.event_stream import EventStream, Pace
from adapters.http.events.open_streams import OpenStreams
from adapters.http.events.schemas import EventSlice, EventView
from adapters.http.guards import authenticated, provide_actor
from adapters.http.parameters import LimitParameter, parse_id_parameter
from application.operations.events.list_events import DEFAULT_LIMIT, ListEvents, ListEventsQuery
from application.operations.events.listen_to_events import ListenToEvents, ListenToEventsQuery
from application.shared.actor import Actor
from domain.shared.ids import EventId

LAST_ID = "The id of the last event that was seen; the stream goes on behind it."
LastEventIdHeader = Annotated[
    str | None, HeaderParameter(name="Last-Event-ID", description=LAST_ID, required=False)
]
LastEventIdParameter = Annotated[
    str | None,
    QueryParameter(
        description=f"{LAST_ID} For clients that cannot send the header.",
        schema_extra={"format": "uuid"},
        required=False,
    ),
]


class EventsController(Controller):
    path = "/events"
    tags = ("operations",)

    @get(operation_id="list_events", summary="List what happened")
    async def list_events(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListEvents],
        cursor: FromQuery[str | None] = None,
        limit: LimitParameter = DEFAULT_LIMIT,
    ) -> EventSlice:
        """Lists the team's events that concern the caller, newest first. Ask again with
        `cursor=next_cursor` for more."""
        query = ListEventsQuery(actor=actor, cursor=cursor, limit=limit)
        return EventSlice.of(await use_case(query))

    @get(
        "/stream",
        operation_id="stream_events",
        summary="Listen to what happens",
        responses={
            200: ResponseSpec(
                data_container=EventView,
                description="Server-sent events; this is the `data` of each.",
                media_type="text/event-stream",
                generate_examples=False,
            )
        },
    )
    async def stream_events(
        self,
        *,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListenToEvents],
        streams: FromDishka[OpenStreams],
        pace: FromDishka[Pace],
        last_event_id: LastEventIdParameter = None,
        last_event_id_header: LastEventIdHeader = None,
    ) -> EventStream:
        """Streams the team's events that concern the caller, from now on or from behind the event
        that `Last-Event-ID` names: in the order in which they were committed, each of them once. A
        comment comes in every silence. The stream ends when the server stops or the credentials
        are void; come back with the id of the last event then."""
        after = parse_id_parameter("last_event_id", last_event_id_header or last_event_id)
        query = ListenToEventsQuery(actor=actor, after=None if after is None else EventId(after))
        return EventStream(
            actor=actor,
            listen=partial(use_case, query),
            who_asks=partial(_who_asks_now, request),
            streams=streams,
            pace=pace,
        )


async def _who_asks_now(request: AnyRequest) -> Actor:
    await authenticated(request, request.route_handler)
    return await provide_actor(request)
