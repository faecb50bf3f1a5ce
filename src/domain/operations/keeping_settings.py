"""What a team keeps of its answers to give them again."""

from domain.operations.runtime_setting import RuntimeSetting, SettingGroup, SettingScope
from domain.operations.setting_values import IntType

ANSWER_CACHE_SECONDS = RuntimeSetting(
    name="answer_cache_seconds",
    group=SettingGroup.CACHE,
    scope=SettingScope.TEAM,
    type=IntType(minimum=0, maximum=31_536_000),
    default=0,
    description=(
        "For how many seconds equal calls get the same answer without a model being asked, where"
        " their route says nothing else; 0 is never."
    ),
)
ANSWER_CACHE_WAIT_SECONDS = RuntimeSetting(
    name="answer_cache_wait_seconds",
    group=SettingGroup.CACHE,
    scope=SettingScope.TEAM,
    type=IntType(minimum=0, maximum=600),
    default=30,
    description=(
        "How many seconds an equal call that is being made may take, so that others wait for its"
        " answer, where answers are kept; 0 is not to wait at all."
    ),
)
