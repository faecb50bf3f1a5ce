from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Integer, RowMapping, Select, Table, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from application.models.registry.ports import RegistrySort
from application.shared.pagination import PageRequest

# Every process listens here; the payload is the team whose registry changed.
CHANNEL = "stoa_registry"
_LOCK = 0x73746F72


async def write(session: AsyncSession, team_id: UUID, statement: Executable) -> Any:
    """Run the statement, and make every node read the team's registry when the transaction
    commits."""
    result = await session.execute(statement)
    await session.execute(select(func.pg_notify(CHANNEL, str(team_id))))
    return result


async def lock(session: AsyncSession, team_id: UUID) -> None:
    """Keep others who lock the team's registry waiting until the transaction ends."""
    whose = func.hashtext(str(team_id))
    await session.execute(select(func.pg_advisory_xact_lock(literal(_LOCK, Integer), whose)))


async def page_of(
    session: AsyncSession, table: Table, wanted: Select[Any], page: PageRequest, sort: RegistrySort
) -> tuple[Sequence[RowMapping], int]:
    """The rows of the page, and how many there are in all."""
    column = table.c[sort.removeprefix("-")]
    total = await session.scalar(select(func.count()).select_from(wanted.subquery()))
    ordered = (column.desc(), table.c.id.desc()) if sort.startswith("-") else (column, table.c.id)
    rows = await session.execute(
        wanted.order_by(*ordered).offset(page.offset).limit(page.page_size)
    )
    return rows.mappings().all(), total or 0
