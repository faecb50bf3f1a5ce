from dataclasses import dataclass

from application.operations.ports import RuntimeSettings, SettingsUnitOfWork
from application.operations.resolved_settings import ResolvedSetting, resolve
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.operations.runtime_setting import SettingRegistry


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettingsQuery:
    """``name`` asks for that setting alone."""

    actor: Actor
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings:
    """Shows the runtime settings of the server and of the team, each with its value, where that
    comes from, and what may stand there. Secrets are masked."""

    uow: SettingsUnitOfWork
    runtime: RuntimeSettings
    registry: SettingRegistry

    async def __call__(self, query: ListSettingsQuery) -> tuple[ResolvedSetting, ...]:
        query.actor.require(Permission.READ_SETTINGS)
        settings = (
            tuple(self.registry.by_name.values())
            if query.name is None
            else (self.registry.find(query.name),)
        )
        async with self.uow as tx:
            stored = [*await tx.settings.of(None), *await tx.settings.of(query.actor.team_id)]
        return resolve(settings, stored, self.runtime)
