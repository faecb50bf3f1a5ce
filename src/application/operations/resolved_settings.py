from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from application.operations.ports import RuntimeSettings, StoredSetting
from application.shared.masking import MASK
from domain.operations.runtime_setting import RuntimeSetting
from domain.shared.errors import InvalidError


class ValueSource(StrEnum):
    DATABASE = "database"
    ENVIRONMENT = "environment"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedSetting:
    """A setting with the value that holds, as it may be shown: secrets are masked."""

    setting: RuntimeSetting[Any]
    value: object
    source: ValueSource

    @property
    def is_set(self) -> bool:
        return self.value is not None


def resolve(
    settings: Iterable[RuntimeSetting[Any]],
    stored: Iterable[StoredSetting],
    runtime: RuntimeSettings,
) -> tuple[ResolvedSetting, ...]:
    """Database > environment > default."""
    by_place = {(one.team_id is not None, one.name): one for one in stored}
    return tuple(
        _resolved(setting, by_place.get((setting.is_of_team, setting.name)), runtime)
        for setting in settings
    )


def _resolved(
    setting: RuntimeSetting[Any], stored: StoredSetting | None, runtime: RuntimeSettings
) -> ResolvedSetting:
    value, is_environment = runtime.beneath(setting)
    source = ValueSource.ENVIRONMENT if is_environment else ValueSource.DEFAULT
    if stored is not None and (setting.secret or _holds(setting, stored)):
        value = MASK if setting.secret else setting.parse(stored.value)
        source = ValueSource.DATABASE
    if setting.secret and value is not None:
        value = MASK
    return ResolvedSetting(setting=setting, value=value, source=source)


def _holds(setting: RuntimeSetting[Any], stored: StoredSetting) -> bool:
    """What another version stored may be nothing that this one takes; then it does not hold."""
    try:
        setting.parse(stored.value)
    except InvalidError:
        return False
    return True
