from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from application.inference.call_ports import CallFilter
from application.inference.get_call import GetCall, GetCallQuery
from application.inference.list_calls import DEFAULT_LIMIT, ListCalls, ListCallsQuery
from application.shared.pagination import MAX_LIMIT
from domain.identity.permissions import Permission
from domain.inference.call import Call, CallContent, CallStatus
from domain.inference.errors import CallNotFoundError
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import OTHER_TEAM_ID, a_call, an_actor
from tests.fakes.call_reader import InMemoryCallReader
from tests.fakes.clock import START
from tests.fakes.inference import InMemoryLedger

CONTENT = CallContent(request="asked", response="answered")


def reader_of(*calls: Call) -> InMemoryCallReader:
    ledger = InMemoryLedger()
    for call in calls:
        ledger.open(call)
    assert ledger.errors == []
    return InMemoryCallReader(ledger.rows)


async def test_lists_the_calls_of_the_team_newest_first_without_contents() -> None:
    old = a_call(content=CONTENT)
    new = a_call(created_at=START + timedelta(seconds=1))
    foreign = a_call(team_id=OTHER_TEAM_ID)

    calls = await ListCalls(reader=reader_of(old, new, foreign))(ListCallsQuery(actor=an_actor()))

    assert calls.items == (new, replace(old, content=None))
    assert calls.next_cursor is None


async def test_a_cursor_goes_on_where_the_last_slice_ended() -> None:
    made = [a_call() for _ in range(5)]
    list_calls = ListCalls(reader=reader_of(*made))

    seen: list[Call] = []
    cursor: str | None = None
    while True:
        query = ListCallsQuery(actor=an_actor(), cursor=cursor, limit=2)
        part = await list_calls(query)
        seen += part.items
        cursor = part.next_cursor
        if cursor is None:
            break

    assert seen == made[::-1]


async def test_filters_are_obeyed() -> None:
    wanted = a_call(model="large")
    query = ListCallsQuery(
        actor=an_actor(),
        where=CallFilter(
            since=START,
            until=START + timedelta(seconds=1),
            key_id=wanted.key_id,
            model="large",
            status=CallStatus.OPEN,
        ),
    )
    others = (
        a_call(created_at=START - timedelta(seconds=1)),
        a_call(created_at=START + timedelta(seconds=1)),
        a_call(key_id=None),
        a_call(model="small"),
    )

    calls = await ListCalls(reader=reader_of(wanted, *others))(query)

    assert calls.items == (wanted,)


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    "at",
    [datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=timezone(-timedelta(hours=23)))],
)
def test_times_that_no_ledger_has_are_refused(name: str, at: datetime) -> None:
    with pytest.raises(InvalidError) as refused:
        CallFilter(**{name: at})  # type: ignore[arg-type]  # one of the two times

    assert refused.value.param == name
    assert refused.value.message == f"'{name}' must be between the years 1970 and 9999."


async def test_a_limit_is_never_absent() -> None:
    list_calls = ListCalls(reader=reader_of(*(a_call() for _ in range(DEFAULT_LIMIT + 1))))

    calls = await list_calls(ListCallsQuery(actor=an_actor()))

    assert len(calls.items) == DEFAULT_LIMIT


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
async def test_a_limit_out_of_bounds_is_refused(limit: int) -> None:
    with pytest.raises(InvalidError) as refused:
        await ListCalls(reader=reader_of())(ListCallsQuery(actor=an_actor(), limit=limit))

    assert refused.value.param == "limit"


async def test_a_cursor_from_elsewhere_is_refused() -> None:
    with pytest.raises(InvalidError) as refused:
        await ListCalls(reader=reader_of())(ListCallsQuery(actor=an_actor(), cursor="nonsense"))

    assert refused.value.param == "cursor"


async def test_shows_a_call_with_its_content() -> None:
    call = a_call(content=CONTENT)

    shown = await GetCall(reader=reader_of(call))(GetCallQuery(actor=an_actor(), call_id=call.id))

    assert shown == call


async def test_another_teams_call_is_not_there() -> None:
    foreign = a_call(team_id=OTHER_TEAM_ID)
    get_call = GetCall(reader=reader_of(foreign))

    with pytest.raises(CallNotFoundError):
        await get_call(GetCallQuery(actor=an_actor(), call_id=foreign.id))
    with pytest.raises(CallNotFoundError):
        await get_call(GetCallQuery(actor=an_actor(), call_id=a_call().id))


async def test_reading_calls_needs_the_permission() -> None:
    call = a_call()
    reader = reader_of(call)
    actor = an_actor(permissions=frozenset(Permission) - {Permission.READ_CALLS})

    with pytest.raises(ForbiddenError):
        await ListCalls(reader=reader)(ListCallsQuery(actor=actor))
    with pytest.raises(ForbiddenError):
        await GetCall(reader=reader)(GetCallQuery(actor=actor, call_id=call.id))
