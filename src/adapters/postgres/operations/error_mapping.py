"""Technical errors as rows, and back."""

from dataclasses import fields
from typing import Any

from sqlalchemy import RowMapping, Select, func, select

from adapters.postgres.operations.error_rows import error_logs
from domain.operations.technical_error import ErrorGroup, ErrorOccurrence, ErrorState
from domain.shared.ids import ErrorId

_GROUP = tuple(field.name for field in fields(ErrorGroup))
_OCCURRENCE = tuple(field.name for field in fields(ErrorOccurrence))
# What an occurrence shares with its group stands there alone.
_OF_OCCURRENCE = tuple(name for name in _OCCURRENCE if name in error_logs.c)


def group_values(group: ErrorGroup) -> dict[str, Any]:
    return {name: getattr(group, name) for name in _GROUP} | {"state": str(group.state)}


def occurrence_values(occurrence: ErrorOccurrence, holder: ErrorId | None) -> dict[str, Any]:
    """``holder`` is the occurrence that has the same stack already, if any."""
    values = {name: getattr(occurrence, name) for name in _OF_OCCURRENCE}
    stack = None if holder else occurrence.stack
    return values | {"stack": stack, "stack_of": holder}


def occurrences_query() -> Select[Any]:
    """Occurrences with their stacks, wherever those are."""
    holders = error_logs.alias("holders")
    columns = [column for column in error_logs.c if column.name != "stack"]
    stack = func.coalesce(error_logs.c.stack, holders.c.stack, "").label("stack")
    return select(*columns, stack).outerjoin(holders, holders.c.id == error_logs.c.stack_of)


def group_of(row: RowMapping) -> ErrorGroup:
    values = {name: row[name] for name in _GROUP}
    return ErrorGroup(**values | {"state": ErrorState(row["state"])})


def occurrence_of(row: RowMapping, group: ErrorGroup) -> ErrorOccurrence:
    shared = {name: getattr(group, name) for name in ("fingerprint", "code", "exception_type")}
    return ErrorOccurrence(**shared, **{name: row[name] for name in _OF_OCCURRENCE})
