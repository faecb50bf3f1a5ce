from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from domain.operations.errors import SettingNotFoundError
from domain.operations.setting_values import ValueType, WrongValueError
from domain.shared.errors import FieldError, InvalidError

T = TypeVar("T")


class SettingScope(StrEnum):
    """Whether each team has a value of its own, or the server one for all."""

    SERVER = "server"
    TEAM = "team"


class SettingGroup(StrEnum):
    CAPABILITIES = "capabilities"
    MODELS = "models"
    ROUTING = "routing"
    CACHE = "cache"
    GUARDRAILS = "guardrails"
    JOINING = "joining"
    SIGN_IN = "sign_in"
    LIMITS = "limits"
    RETENTION = "retention"
    NOTIFICATIONS = "notifications"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSetting(Generic[T]):
    """A setting that changes without a restart: database > environment > default.

    It is also the handle by which code asks for the value. A ``secret`` is stored encrypted and
    never shown. ``needs_restart`` says that a process obeys only from its next start on.
    """

    name: str
    group: SettingGroup
    scope: SettingScope
    type: ValueType[T]
    default: T
    description: str
    secret: bool = False
    needs_restart: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that lies beneath what is stored."""
        return f"STOA_{self.name.upper()}"

    @property
    def is_of_team(self) -> bool:
        return self.scope is SettingScope.TEAM

    def parse(self, raw: object) -> T:
        """Read text or JSON. Raises ``InvalidError`` that names the setting, and never repeats the
        value."""
        try:
            return self.type.parse(raw)
        except WrongValueError as error:
            raise self.refusal(f"must be {error}") from None

    def refusal(self, reason: str) -> InvalidError:
        """``reason`` is what is wrong with a value, such as "must be true or false"."""
        return InvalidError(
            f"'{self.name}' {reason}.",
            param=self.name,
            errors=(FieldError(self.name, reason),),
        )


@dataclass(frozen=True, slots=True)
class SettingRegistry:
    """The settings that there are, by their names."""

    by_name: Mapping[str, RuntimeSetting[Any]]

    def find(self, name: str) -> RuntimeSetting[Any]:
        """Raises ``SettingNotFoundError``."""
        setting = self.by_name.get(name)
        if setting is None:
            raise SettingNotFoundError(name)
        return setting
