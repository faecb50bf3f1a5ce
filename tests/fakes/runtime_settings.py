from collections.abc import Mapping
from typing import TypeVar, cast

from application.operations.ports import RuntimeSettings
from domain.operations.runtime_setting import RuntimeSetting
from domain.shared.ids import TeamId

T = TypeVar("T")


class InMemoryRuntimeSettings(RuntimeSettings):
    """``set`` is what an operator would do; ``environment`` are values by name."""

    def __init__(self, environment: Mapping[str, object] | None = None) -> None:
        self._environment = environment or {}
        self._values: dict[tuple[TeamId | None, str], object] = {}

    def set(self, setting: RuntimeSetting[T], value: T, team_id: TeamId | None = None) -> None:
        """A setting of teams without a team is set for all that have no value of their own."""
        self._values[team_id, setting.name] = value

    def reset(self, setting: RuntimeSetting[T], team_id: TeamId | None = None) -> None:
        self._values.pop((team_id, setting.name), None)

    def get(self, setting: RuntimeSetting[T], team_id: TeamId | None = None) -> T:
        own = (team_id if setting.is_of_team else None, setting.name)
        for place in (own, (None, setting.name)):
            if place in self._values:
                return cast("T", self._values[place])
        return self.beneath(setting)[0]

    def beneath(self, setting: RuntimeSetting[T]) -> tuple[T, bool]:
        if setting.name in self._environment:
            return cast("T", self._environment[setting.name]), True
        return setting.default, False

    async def catch_up(self, owners: frozenset[TeamId | None]) -> None:
        """There is nothing to wait for."""
