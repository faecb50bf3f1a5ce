"""Guardrails of all calls, whatever model or route they name."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.models.registry.route_rules import guardrail_problems
from domain.models.route import GuardrailPolicy, PiiAction
from domain.operations.runtime_setting import RuntimeSetting, SettingGroup, SettingScope
from domain.operations.setting_values import Bounds, ValueType, WrongValueError

_ACTIONS = ", ".join(f"'{action}'" for action in PiiAction)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise WrongValueError("must be a list of texts")
    return tuple(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("must be true or false")
    return value


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | None):
        raise WrongValueError("must be a whole number")
    return value


def _action(value: object) -> PiiAction:
    if not isinstance(value, str) or value not in tuple(PiiAction):
        raise WrongValueError(f"must be one of {_ACTIONS}")
    return PiiAction(value)


_MEMBERS: Mapping[str, Callable[[object], object]] = {
    "max_input": _count,
    "denied": _texts,
    "pii": _texts,
    "pii_action": _action,
    "on_input": _flag,
    "on_output": _flag,
}


@dataclass(frozen=True, slots=True)
class GuardrailsType(ValueType[GuardrailPolicy]):
    """What stands under ``guardrails`` of a route, but for a schema: that is for one kind of answer
    and not for all of them."""

    name: str = "object"
    expected: str = "an object with some of " + ", ".join(f"'{name}'" for name in _MEMBERS)

    @property
    def bounds(self) -> Bounds:
        return Bounds()

    def parse(self, raw: object) -> GuardrailPolicy:
        members = _decoded(raw) if isinstance(raw, str) else raw
        if not isinstance(members, Mapping) or members.keys() - _MEMBERS.keys():
            raise WrongValueError(self.expected)
        read = {name: self._member(name, value) for name, value in members.items()}
        # The readers see to the types.
        policy = GuardrailPolicy(**read)  # type: ignore[arg-type]
        for field, message in guardrail_problems(policy):
            raise self._wrong(field, message)
        return policy

    def _member(self, name: str, value: object) -> object:
        try:
            return _MEMBERS[name](value)
        except WrongValueError as error:
            raise self._wrong(name, str(error)) from None

    def _wrong(self, field: str, message: str) -> WrongValueError:
        return WrongValueError(f"{self.expected}; '{field}' {message}")


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _guardrails(
    name: str, scope: SettingScope, whose: str
) -> RuntimeSetting[GuardrailPolicy | None]:
    return RuntimeSetting(
        name=name,
        group=SettingGroup.GUARDRAILS,
        scope=scope,
        type=GuardrailsType(),
        default=None,
        description=(
            f"Guardrails of all calls {whose}, as routes have them, whether a call names a route"
            " or a model. What other guardrails say comes on top of it, and takes nothing away."
        ),
    )


GUARDRAILS = _guardrails("guardrails", SettingScope.TEAM, "of the team")
SERVER_GUARDRAILS = _guardrails("server_guardrails", SettingScope.SERVER, "of all teams")
