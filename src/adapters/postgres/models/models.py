from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.inference.rows import calls
from adapters.postgres.models.announcing import page_of, write
from adapters.postgres.models.names import take_names
from adapters.postgres.models.rows import FK_MODEL_PROVIDER, models
from application.models.registry.ports import ModelFilter, Models, RegistrySort
from application.shared.pagination import Page, PageRequest
from domain.models.registry.errors import ModelNotRegisteredError, ProviderNotFoundError
from domain.models.registry.model import Model, ModelState, Visibility
from domain.models.served_model import Capability, DeploymentLimits, ModelKind
from domain.shared.ids import ModelId, ProviderId, TeamId


class PostgresModels(Models):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, model: Model) -> None:
        with translated({FK_MODEL_PROVIDER: ProviderNotFoundError()}):
            await write(self._session, model.team_id, insert(models).values(_values(model)))
        await take_names(self._session, model.team_id, model.names, model_id=model.id)

    async def get(self, team_id: TeamId, model_id: ModelId) -> Model:
        with translated():
            found = await self._session.execute(
                select(models).where(models.c.team_id == team_id, models.c.id == model_id)
            )
        row = found.mappings().one_or_none()
        if row is None:
            raise ModelNotRegisteredError
        return model_of(row)

    async def save(self, model: Model) -> None:
        with translated({FK_MODEL_PROVIDER: ProviderNotFoundError()}):
            saved = await write(
                self._session,
                model.team_id,
                update(models)
                .where(models.c.team_id == model.team_id, models.c.id == model.id)
                .values(_values(model)),
            )
        if not saved.rowcount:
            raise ModelNotRegisteredError
        await take_names(self._session, model.team_id, model.names, model_id=model.id)

    async def remove(self, model: Model) -> None:
        with translated():
            statement = delete(models).where(
                models.c.team_id == model.team_id, models.c.id == model.id
            )
            await write(self._session, model.team_id, statement)

    async def all(self, team_id: TeamId) -> Sequence[Model]:
        with translated():
            rows = await self._session.execute(
                select(models).where(models.c.team_id == team_id).order_by(models.c.name)
            )
        return tuple(map(model_of, rows.mappings()))

    async def list(
        self, team_id: TeamId, where: ModelFilter, page: PageRequest, sort: RegistrySort
    ) -> Page[Model]:
        wanted = select(models).where(models.c.team_id == team_id)
        if where.kind is not None:
            wanted = wanted.where(models.c.kind == where.kind)
        if where.state is not None:
            wanted = wanted.where(models.c.state == where.state)
        if where.provider_id is not None:
            wanted = wanted.where(models.c.provider_id == where.provider_id)
        with translated():
            rows, total = await page_of(self._session, models, wanted, page, sort)
        return Page(
            items=tuple(map(model_of, rows)),
            total=total,
            page=page.page,
            page_size=page.page_size,
        )

    async def was_called(self, model: Model) -> bool:
        # Ids of calls sort by time, so nothing is looked at from before there was the model. What
        # was refused never got a provider.
        names = model.names_ever
        called = (
            calls.c.id >= _first_id_of(model.id),
            calls.c.provider.is_not(None),
            or_(
                calls.c.model.in_(names),
                calls.c.routed_to.in_(names),
                *(calls.c.attempts.contains([{"model": name}]) for name in names),
            ),
        )
        lent = calls.c.lenders.contains([model.team_id])
        with translated():
            for where in (calls.c.team_id == model.team_id, lent):
                if await self._session.scalar(select(exists().where(where, *called))):
                    return True
        return False


def _first_id_of(model_id: UUID) -> UUID:
    """The smallest id of the millisecond in which the model was made."""
    return UUID(int=model_id.int >> 80 << 80)


def model_of(row: Mapping[Any, Any]) -> Model:
    limits = DeploymentLimits(rpm=row["rpm"], tpm=row["tpm"], concurrency=row["concurrency"])
    capabilities = row["capabilities"]
    return Model(
        id=ModelId(row["id"]),
        team_id=TeamId(row["team_id"]),
        name=row["name"],
        aliases=tuple(row["aliases"]),
        kind=ModelKind(row["kind"]),
        provider_id=ProviderId(row["provider_id"]),
        upstream_name=row["upstream_name"],
        capabilities=None if capabilities is None else frozenset(map(Capability, capabilities)),
        context_length=row["context_length"],
        max_output_tokens=row["max_output_tokens"],
        limits=None if limits == DeploymentLimits() else limits,
        visibility=Visibility(row["visibility"]),
        state=ModelState(row["state"]),
        options=row["options"],
        former_names=tuple(row["former_names"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _values(model: Model) -> dict[str, Any]:
    limits = model.limits or DeploymentLimits()
    return {
        "id": model.id,
        "team_id": model.team_id,
        "name": model.name,
        "aliases": list(model.aliases),
        "kind": model.kind,
        "provider_id": model.provider_id,
        "upstream_name": model.upstream_name,
        "capabilities": None if model.capabilities is None else sorted(model.capabilities),
        "context_length": model.context_length,
        "max_output_tokens": model.max_output_tokens,
        "rpm": limits.rpm,
        "tpm": limits.tpm,
        "concurrency": limits.concurrency,
        "visibility": model.visibility,
        "state": model.state,
        "options": model.options,
        "former_names": list(model.former_names),
        "created_at": model.created_at,
        "updated_at": model.updated_at,
    }
