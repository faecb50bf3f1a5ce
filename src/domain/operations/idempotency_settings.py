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
