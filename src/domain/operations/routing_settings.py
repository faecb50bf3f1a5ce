"""When a deployment that fails is left alone, and which calls may leave the machine."""

from typing import Any

from domain.operations.runtime_setting import RuntimeSetting, SettingGroup, SettingScope
from domain.operations.setting_values import BoolType, IntType

LOCAL_ONLY = RuntimeSetting(
    name="local_only",
    group=SettingGroup.ROUTING,
    scope=SettingScope.TEAM,
    type=BoolType(),
    default=False,
    description="Send model calls only to models that run on this machine.",
)


def _whole(name: str, default: int, maximum: int, description: str) -> RuntimeSetting[int]:
    return RuntimeSetting(
        name=name,
        group=SettingGroup.ROUTING,
        scope=SettingScope.SERVER,
        type=IntType(minimum=0, maximum=maximum),
        default=default,
        description=description,
    )


BREAKER_FAILURES = _whole(
    "breaker_failures",
    5,
    1_000,
    "Leave a deployment alone that failed so often in a row; 0 is never for that.",
)
BREAKER_ERROR_PERCENT = _whole(
    "breaker_error_percent",
    50,
    100,
    "Leave a deployment alone when so many of a hundred of its latest calls failed; 0 is never for"
    " that.",
)
BREAKER_LEAST_CALLS = _whole(
    "breaker_least_calls",
    20,
    1_000_000,
    "How many calls there must have been before their share of failures counts.",
)
BREAKER_WINDOW_SECONDS = _whole(
    "breaker_window_seconds",
    30,
    3_600,
    "For how long calls count as the latest ones of a deployment.",
)
BREAKER_COOLDOWN_SECONDS = _whole(
    "breaker_cooldown_seconds",
    10,
    3_600,
    "How long a deployment is left alone before one call tries it again; each time that fails it is"
    " twice as long, up to eight times. 0 leaves none alone.",
)
HEALTH_CHECK_SECONDS = _whole(
    "health_check_seconds",
    0,
    3_600,
    "Ask deployments that are left alone for a sign of life so often, and let a call try one as"
    " soon as it gives one; 0 is never.",
)

ROUTING_SETTINGS: tuple[RuntimeSetting[Any], ...] = (
    LOCAL_ONLY,
    BREAKER_FAILURES,
    BREAKER_ERROR_PERCENT,
    BREAKER_LEAST_CALLS,
    BREAKER_WINDOW_SECONDS,
    BREAKER_COOLDOWN_SECONDS,
    HEALTH_CHECK_SECONDS,
)
