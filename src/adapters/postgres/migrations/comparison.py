"""What the migrations are compared with."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import CheckConstraint, Connection, MetaData, text

from adapters.postgres.base import Row
from adapters.postgres.identity.allowance_rows import limits
from adapters.postgres.identity.joining_rows import InvitationRow
from adapters.postgres.identity.rows import TeamRow
from adapters.postgres.identity.session_rows import SessionRow
from adapters.postgres.inference.budget_rows import budget_holds
from adapters.postgres.inference.kept_answer_rows import kept_answers
from adapters.postgres.inference.limit_rows import limit_counters
from adapters.postgres.inference.outage_rows import deployment_outages
from adapters.postgres.inference.response_rows import responses
from adapters.postgres.inference.rows import calls
from adapters.postgres.models.price_rows import prices
from adapters.postgres.models.rows import model_names
from adapters.postgres.operations.error_rows import error_logs
from adapters.postgres.operations.idempotency_rows import idempotent_requests
from adapters.postgres.operations.rows import audit_logs
from adapters.postgres.operations.setting_rows import team_settings

# Tables register themselves when their module is imported, so each module is named here.
_MODULES_WITH_TABLES = (
    limits,
    budget_holds,
    TeamRow,
    SessionRow,
    InvitationRow,
    calls,
    audit_logs,
    error_logs,
    limit_counters,
    deployment_outages,
    responses,
    kept_answers,
    model_names,
    prices,
    team_settings,
    idempotent_requests,
)

target_metadata: MetaData = Row.metadata

_PARTITIONS = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"
_CHECKS = """
SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE contype = 'c' AND conrelid <> 0 AND connamespace = current_schema()::regnamespace
"""


def without_partitions(connection: Connection) -> Callable[[str | None, str, Any], bool]:
    """A filter for Alembic. Partitions come and go with the months; only their parents count."""
    partitions = set(connection.scalars(text(_PARTITIONS)))

    def include(name: str | None, kind: str, _parents: Any) -> bool:
        return kind != "table" or name not in partitions

    return include


def describe(drift: Any) -> list[str]:
    """One line for each thing that Alembic found."""
    if isinstance(drift, list):
        return [line for part in drift for line in describe(part)]
    kind, *what = drift
    named = [part for part in what if not isinstance(part, bool | dict | None)]
    names = [str(getattr(part, "name", part)) for part in named]
    return [" ".join((kind.replace("_", " "), *names))]


def check_constraint_drifts(connection: Connection) -> list[str]:
    """Alembic does not compare CHECK constraints; this compares their names."""
    partitions = set(connection.scalars(text(_PARTITIONS)))
    found = {
        (table, name)
        for table, name in connection.execute(text(_CHECKS))
        if table not in partitions
    }
    wanted = {
        (table.name, str(constraint.name))
        for table in target_metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    return [
        *(f"missing check constraint {name} on {table}" for table, name in sorted(wanted - found)),
        *(f"unknown check constraint {name} on {table}" for table, name in sorted(found - wanted)),
    ]
