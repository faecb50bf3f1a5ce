from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from adapters.postgres.inference.call_reader import span_conditions
from adapters.postgres.inference.cost_query import (
    BREAKDOWN,
    REST,
    SERIES,
    TOTAL,
    all_sums,
    breakdown,
    series,
)
from adapters.postgres.inference.rows import calls
from adapters.postgres.inference.usage_query import usage_row
from application.inference.call_ports import UsageRow
from application.inference.costs.ports import CostQuery, CostReader, CostSums

PIECE = 500
# What a period is depends on the question, so that the planner takes every call for a group of its
# own and would rather sort them all than keep the sums of so many.
_HASH = text(
    "SELECT set_config('enable_sort', 'off', true),"
    " set_config('enable_incremental_sort', 'off', true)"
)
# A client that does not read its export must not keep a connection from all others.
PATIENCE_S = 30.0
_PATIENCE = text("SELECT set_config('idle_in_transaction_session_timeout', :ms, true)")


class PostgresCostReader(CostReader):
    def __init__(self, engine: AsyncEngine, *, patience_s: float = PATIENCE_S) -> None:
        self._engine = engine
        self._patience = {"ms": str(round(patience_s * 1000))}

    async def sums(self, query: CostQuery) -> CostSums:
        parts: defaultdict[str, list[UsageRow]] = defaultdict(list)
        with translated():
            async with self._engine.connect() as connection:
                await connection.execute(_HASH)
                rows = await connection.execute(all_sums(query, _where(query)))
                for row in rows.mappings():
                    parts[row["part"]].append(_row(row))
        return CostSums(
            total=parts[TOTAL][0],
            series=tuple(parts[SERIES]),
            breakdown=tuple(parts[BREAKDOWN]),
            rest=parts[REST][0] if parts[REST] else None,
        )

    def series(self, query: CostQuery) -> AsyncIterator[tuple[UsageRow, ...]]:
        return self._pieces(series(query, _where(query)))

    def breakdown(self, query: CostQuery) -> AsyncIterator[tuple[UsageRow, ...]]:
        return self._pieces(breakdown(query, _where(query)))

    async def _pieces(self, statement: Select[Any]) -> AsyncIterator[tuple[UsageRow, ...]]:
        with translated():
            async with self._engine.connect() as connection:
                await connection.execute(_HASH)
                await connection.execute(_PATIENCE, self._patience)
                rows = (await connection.stream(statement)).mappings()
                async for piece in rows.partitions(PIECE):
                    yield tuple(map(_row, piece))


def _where(query: CostQuery) -> tuple[ColumnElement[bool], ...]:
    of_team = () if query.team_id is None else (calls.c.team_id == query.team_id,)
    return (*of_team, *span_conditions(query.since, query.until))


def _row(row: RowMapping) -> UsageRow:
    # A sum over no rows at all is null.
    return usage_row({name: 0 if value is None else value for name, value in row.items()})
