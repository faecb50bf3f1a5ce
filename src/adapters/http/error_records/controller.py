from typing import Annotated

from dishka import FromDishka
from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter

from adapters.http.error_records.schemas import (
    ErrorDetailView,
    ErrorGroupPage,
    ErrorGroupView,
    UpdateErrorBody,
)
from adapters.http.parameters import (
    IdParameter,
    PageParameter,
    PageSizeParameter,
    SinceParameter,
    invalid,
    parse_id,
    parse_time,
)
from application.operations.records.change_error_state import (
    ChangeErrorState,
    ChangeErrorStateCommand,
)
from application.operations.records.get_error import GetError, GetErrorQuery
from application.operations.records.list_errors import ListErrors, ListErrorsQuery
from application.operations.records.ports import ErrorFilter
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.operations.errors import ErrorNotFoundError
from domain.operations.technical_error import ErrorState

# The framework keeps the name `state` for itself, and would call it by ours in its errors.
StateParameter = Annotated[
    str | None,
    QueryParameter(
        name="state", schema_extra={"enum": [str(state) for state in ErrorState]}, required=False
    ),
]


class ErrorRecordsController(Controller):
    path = "/errors"
    tags = ("records",)

    @get(operation_id="list_errors", summary="List the technical errors")
    async def list_errors(
        self,
        *,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListErrors],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
        in_state: StateParameter = None,
        code: FromQuery[str | None] = None,
        since: SinceParameter = None,
    ) -> ErrorGroupPage:
        """Lists the faults of the server, of all teams; the one that happened last is first.
        `since` leaves out those that have not happened since."""
        where = ErrorFilter(state=_state_of(in_state), code=code, since=parse_time("since", since))
        wanted = PageRequest(page=page, page_size=page_size)
        return ErrorGroupPage.of(
            await use_case(ListErrorsQuery(actor=actor, where=where, page=wanted))
        )

    @get("/{error_id:str}", operation_id="get_error", summary="Show a technical error")
    async def get_error(
        self,
        error_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[GetError],
    ) -> ErrorDetailView:
        """Shows a group with its latest occurrences. `error_id` is the group's, or the one that an
        error answer gave: the `id` of a problem, or the `x-request-id` under `/v1`."""
        wanted = parse_id(error_id, ErrorNotFoundError)
        return ErrorDetailView.of_detail(await use_case(GetErrorQuery(actor=actor, wanted=wanted)))

    @patch("/{error_id:str}", operation_id="update_error", summary="Resolve or ignore an error")
    async def update_error(
        self,
        error_id: IdParameter,
        data: JSONBody[UpdateErrorBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[ChangeErrorState],
    ) -> ErrorGroupView:
        """Resolves, ignores or reopens the group. A resolved one reopens by itself when it happens
        again."""
        wanted = parse_id(error_id, ErrorNotFoundError)
        command = ChangeErrorStateCommand(actor=actor, wanted=wanted, state=data.state)
        return ErrorGroupView.of(await use_case(command))


def _state_of(text: str | None) -> ErrorState | None:
    try:
        return None if text is None else ErrorState(text)
    except ValueError:
        raise invalid("state", f"is one of {', '.join(ErrorState)}") from None
