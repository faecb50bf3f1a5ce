from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from application.operations.ports import (
    RuntimeSettings,
    SecretBox,
    ServedKinds,
    SettingsUnitOfWork,
    StoredSetting,
)
from application.operations.resolved_settings import ResolvedSetting, resolve
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from domain.identity.permissions import Permission
from domain.operations.model_settings import DEFAULT_OF_KIND
from domain.operations.runtime_setting import RuntimeSetting, SettingRegistry
from domain.operations.setting_values import json_of, text_of
from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import TeamId

_KIND_OF_DEFAULT = {setting.name: kind for kind, setting in DEFAULT_OF_KIND.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettingsCommand:
    """New values by the names of the settings, as JSON or text; ``None`` goes back to what lies
    beneath."""

    actor: Actor
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """``value`` is what shall hold; ``None`` is what lies beneath."""

    setting: RuntimeSetting[Any]
    owner: TeamId | None
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings:
    """Changes runtime settings, all that are given or none. Every node obeys within a second, and
    the audit log has a row for each.

    Settings of the team need the permission `settings.manage`, those of the server `server.manage`.
    """

    uow: SettingsUnitOfWork
    runtime: RuntimeSettings
    secrets: SecretBox
    served: ServedKinds
    auditor: Auditor
    registry: SettingRegistry

    async def __call__(self, command: ChangeSettingsCommand) -> tuple[ResolvedSetting, ...]:
        actor = command.actor
        changes = self._checked(command)
        for change in changes:
            is_of_team = change.setting.is_of_team
            actor.require(Permission.MANAGE_SETTINGS if is_of_team else Permission.MANAGE_SERVER)
        async with self.uow as tx:
            stored = await _locked(tx, changes)
            for change in changes:
                await self._apply(
                    tx, actor, change, stored.get((change.owner, change.setting.name))
                )
            now = await _locked(tx, changes)
            await tx.commit()
        await self.runtime.catch_up(frozenset(change.owner for change in changes))
        return resolve([change.setting for change in changes], now.values(), self.runtime)

    def _checked(self, command: ChangeSettingsCommand) -> list[_Change]:
        changes: list[_Change] = []
        problems: list[FieldError] = []
        for name, raw in command.values.items():
            setting = self.registry.by_name.get(name)
            if setting is None:
                problems.append(FieldError(name, "is no runtime setting", "unknown_setting"))
                continue
            try:
                value = None if raw is None else self._parsed(setting, raw, command.actor.team_id)
            except InvalidError as error:
                problems += error.errors
                continue
            owner = command.actor.team_id if setting.is_of_team else None
            changes.append(_Change(setting=setting, owner=owner, value=value))
        if problems:
            message = "; ".join(f"'{problem.field}' {problem.message}" for problem in problems)
            raise InvalidError(f"{message}.", param=problems[0].field, errors=tuple(problems))
        return changes

    def _parsed(self, setting: RuntimeSetting[Any], raw: object, team_id: TeamId) -> object:
        value = setting.parse(raw)
        kind = _KIND_OF_DEFAULT.get(setting.name)
        if kind is not None and self.served.kind_of(str(value), team_id) is not kind:
            raise setting.refusal(f"must be the name of a served {kind} model")
        return value

    async def _apply(
        self, tx: SettingsUnitOfWork, actor: Actor, change: _Change, old: StoredSetting | None
    ) -> None:
        new = None if change.value is None else self._to_store(change)
        if new == old:
            return
        if new is None:
            await tx.settings.remove(change.owner, change.setting.name)
        else:
            await tx.settings.put(new)
        await self.auditor.record(
            tx,
            actor,
            "setting.reset" if new is None else "setting.changed",
            Target("setting", change.setting.name),
            before=self._members(change.setting, old),
            after=self._members(change.setting, new),
        )

    def _to_store(self, change: _Change) -> StoredSetting:
        text = text_of(change.value)
        plain = StoredSetting(team_id=change.owner, name=change.setting.name, value=text)
        if not change.setting.secret:
            return plain
        sealed = self.secrets.seal(text, place=plain.place)
        return StoredSetting(team_id=plain.team_id, name=plain.name, value=sealed)

    def _members(
        self, setting: RuntimeSetting[Any], stored: StoredSetting | None
    ) -> dict[str, object]:
        (resolved,) = resolve([setting], filter(None, [stored]), self.runtime)
        if setting.secret:
            # The name has it masked; what is sealed tells that one secret has replaced another.
            return {"secret_value": stored and stored.value, "source": resolved.source}
        return {"value": json_of(resolved.value), "source": resolved.source}


async def _locked(
    tx: SettingsUnitOfWork, changes: Iterable[_Change]
) -> dict[tuple[TeamId | None, str], StoredSetting]:
    """What is stored for those whose settings change. The server is locked before the team, so that
    no two ever wait for each other."""
    stored: dict[tuple[TeamId | None, str], StoredSetting] = {}
    for owner in sorted({change.owner for change in changes}, key=str, reverse=True):
        await tx.settings.lock(owner)
        stored |= {(owner, one.name): one for one in await tx.settings.of(owner)}
    return stored
