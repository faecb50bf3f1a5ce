from domain.operations.runtime_setting import RuntimeSetting, SettingGroup, SettingScope
from domain.operations.setting_values import IntType

IDEMPOTENCY_HOURS = RuntimeSetting(
    name="idempotency_hours",
    group=SettingGroup.RETENTION,
    scope=SettingScope.SERVER,
    type=IntType(minimum=1, maximum=24 * 365),
    default=24,
    description=(
        "For how many hours a request with an `Idempotency-Key` gets the answer of the first"
        " request with that key."
    ),
)
IDEMPOTENCY_MEGABYTES = RuntimeSetting(
    name="idempotency_megabytes",
    group=SettingGroup.RETENTION,
    scope=SettingScope.SERVER,
    type=IntType(minimum=1, maximum=10_000_000),
    default=1024,
    description=(
        "How many megabytes of answers to requests with an `Idempotency-Key` are kept for a team;"
        " beyond that the oldest answers go, and the same request is refused instead of answered."
    ),
)
