"""What a team keeps of its responses."""

from domain.operations.runtime_setting import RuntimeSetting, SettingGroup, SettingScope
from domain.operations.setting_values import BoolType, IntType

STORE_RESPONSES = RuntimeSetting(
    name="store_responses",
    group=SettingGroup.CAPABILITIES,
    scope=SettingScope.TEAM,
    type=BoolType(),
    default=True,
    description=(
        "Keep what `/v1/responses` answers unless a call says `store: false`, so that later calls"
        " can go on from it; if not, nothing new is kept."
    ),
)
RETENTION_RESPONSES_DAYS = RuntimeSetting(
    name="retention_responses_days",
    group=SettingGroup.RETENTION,
    scope=SettingScope.TEAM,
    type=IntType(minimum=0, maximum=36_500),
    default=30,
    description=(
        "For how many days new responses are kept, after which they are found no more; 0 is for"
        " ever."
    ),
)
