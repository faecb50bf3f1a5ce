from typing import Annotated

from dishka import FromDishka
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from adapters.http.audit.export import ExportFormat, export
from adapters.http.audit.schemas import AuditSlice
from adapters.http.parameters import (
    IdFilter,
    LimitParameter,
    SinceParameter,
    UntilParameter,
    parse_id_parameter,
    parse_time,
)
from application.operations.records.export_audit import ExportAudit, ExportAuditQuery
from application.operations.records.list_audit import DEFAULT_LIMIT, ListAudit, ListAuditQuery
from application.operations.records.ports import AuditFilter
from application.shared.actor import Actor
from domain.shared.ids import KeyId, UserId

ActionParameter = Annotated[
    str | None,
    QueryParameter(
        description="An action such as `key.issued`, or all of a noun: `key.*`.", required=False
    ),
]


class AuditController(Controller):
    path = "/audit_logs"
    tags = ("records",)

    @get(operation_id="list_audit_logs", summary="List the audit log")
    async def list_audit_logs(
        self,
        *,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListAudit],
        cursor: FromQuery[str | None] = None,
        limit: LimitParameter = DEFAULT_LIMIT,
        user_id: IdFilter = None,
        key_id: IdFilter = None,
        action: ActionParameter = None,
        target_type: FromQuery[str | None] = None,
        target_id: FromQuery[str | None] = None,
        since: SinceParameter = None,
        until: UntilParameter = None,
    ) -> AuditSlice:
        """Lists who did what in the team, newest first. Ask again with `cursor=next_cursor` for
        more. `user_id` and `key_id` are those of who did it."""
        where = _filter(
            user_id=user_id,
            key_id=key_id,
            action=action,
            target=(target_type, target_id),
            span=(since, until),
        )
        query = ListAuditQuery(actor=actor, where=where, cursor=cursor, limit=limit)
        return AuditSlice.of(await use_case(query))

    @get(
        "/export",
        operation_id="export_audit_logs",
        summary="Export the audit log",
        responses={
            200: ResponseSpec(
                str,
                media_type="text/csv",
                description="The file, as CSV or as JSON lines.",
                generate_examples=False,
            )
        },
    )
    async def export_audit_logs(
        self,
        *,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ExportAudit],
        format: FromQuery[ExportFormat] = ExportFormat.CSV,  # noqa: A002 - its name in the API
        user_id: IdFilter = None,
        key_id: IdFilter = None,
        action: ActionParameter = None,
        target_type: FromQuery[str | None] = None,
        target_id: FromQuery[str | None] = None,
        since: SinceParameter = None,
        until: UntilParameter = None,
    ) -> Stream:
        """Streams the whole list, newest first, as a file. In CSV, cells that a spreadsheet would
        take for a formula begin with an apostrophe."""
        where = _filter(
            user_id=user_id,
            key_id=key_id,
            action=action,
            target=(target_type, target_id),
            span=(since, until),
        )
        pieces = await use_case(ExportAuditQuery(actor=actor, where=where))
        return Stream(
            export(pieces, format),
            media_type=format.media_type,
            headers={"content-disposition": f'attachment; filename="audit_logs.{format}"'},
        )


def _filter(
    *,
    user_id: str | None,
    key_id: str | None,
    action: str | None,
    target: tuple[str | None, str | None],
    span: tuple[str | None, str | None],
) -> AuditFilter:
    user, key = parse_id_parameter("user_id", user_id), parse_id_parameter("key_id", key_id)
    return AuditFilter(
        user_id=None if user is None else UserId(user),
        key_id=None if key is None else KeyId(key),
        action=action,
        target_type=target[0],
        target_id=target[1],
        since=parse_time("since", span[0]),
        until=parse_time("until", span[1]),
    )
