"""All that bounds a caller, as one value: for the queries that look up who somebody is."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    SQLColumnExpression,
    Table,
    Text,
    cast,
    func,
    literal,
    or_,
    select,
)

from adapters.postgres.identity.allowance_rows import budgets, limits
from domain.identity.allowance import (
    Allowance,
    BudgetPeriod,
    BudgetTerms,
    Limits,
    Subject,
    SubjectKind,
)

LIMITS = ("rpm", "tpm", "concurrency")
TERMS = ("amount", "period", "hard")

Id = SQLColumnExpression[Any] | UUID


def bounding(team_id: Id, user_id: Id | None, key_id: Id | None = None) -> ColumnElement[Any]:
    """What is set on the team, the user and the key; read it with ``bounding_of``. The arguments
    are values, or columns of the query around it."""
    ids = {SubjectKind.TEAM: team_id, SubjectKind.USER: user_id, SubjectKind.KEY: key_id}
    subjects = {kind: subject_id for kind, subject_id in ids.items() if subject_id is not None}
    return func.json_build_array(
        _rows(limits, LIMITS, team_id, subjects),
        _rows(budgets, TERMS, team_id, subjects),
        type_=JSON,
    )


def bounding_of(value: Any) -> tuple[Allowance, ...]:
    """The subjects that have something set: the team first, then the user, then the key."""
    found: dict[Subject, dict[str, Any]] = {}
    for names, rows in zip((LIMITS, TERMS), value, strict=True):
        for kind, subject_id, *values in rows or ():
            subject = Subject(SubjectKind(kind), UUID(subject_id))
            found.setdefault(subject, {}).update(zip(names, values, strict=True))
    order = list(SubjectKind)
    return tuple(
        allowance_of(subject, found[subject])
        for subject in sorted(found, key=lambda subject: order.index(subject.kind))
    )


def allowance_of(subject: Subject, values: Mapping[str, Any]) -> Allowance:
    """An allowance from the columns of its limits, of its budget, or of both."""
    return Allowance(
        subject=subject,
        limits=Limits(**{name: values[name] for name in LIMITS}) if "rpm" in values else None,
        budget=(
            BudgetTerms(
                amount=Decimal(values["amount"]),
                period=BudgetPeriod(values["period"]),
                hard=values["hard"],
            )
            if "amount" in values
            else None
        ),
    )


def _rows(
    table: Table, names: tuple[str, ...], team_id: Id, subjects: Mapping[SubjectKind, Id]
) -> ColumnElement[Any]:
    columns = table.c
    # A number of JSON would be read as a float.
    values = [cast(columns[name], Text) if name == "amount" else columns[name] for name in names]
    return (
        select(
            func.json_agg(func.json_build_array(columns.subject_kind, columns.subject_id, *values))
        )
        .where(
            columns.team_id == team_id,
            or_(
                *(
                    (columns.subject_kind == literal(str(kind), literal_execute=True))
                    & (columns.subject_id == subject_id)
                    for kind, subject_id in subjects.items()
                )
            ),
        )
        .scalar_subquery()
    )
