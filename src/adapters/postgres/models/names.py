from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.models.rows import PK_MODEL_NAME, model_names
from domain.models.registry.errors import ModelNameTakenError


async def take_names(
    session: AsyncSession,
    team_id: UUID,
    names: Sequence[str],
    *,
    model_id: UUID | None = None,
    route_id: UUID | None = None,
) -> None:
    """Give a model or a route these names instead of those that it had. Raises
    ``ModelNameTakenError`` that says which are another's."""
    mine = (
        model_names.c.model_id == model_id
        if model_id is not None
        else model_names.c.route_id == route_id
    )
    with translated():
        await session.execute(delete(model_names).where(model_names.c.team_id == team_id, mine))
        taken = await session.scalars(
            select(model_names.c.name)
            .where(model_names.c.team_id == team_id, model_names.c.name.in_(names))
            .order_by(model_names.c.name)
        )
    if found := taken.all():
        raise ModelNameTakenError(found)
    # Somebody else may take one of them in this moment.
    with translated({PK_MODEL_NAME: ModelNameTakenError(names)}):
        await session.execute(
            insert(model_names),
            [
                {"team_id": team_id, "name": name, "model_id": model_id, "route_id": route_id}
                for name in names
            ],
        )
