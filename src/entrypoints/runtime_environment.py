"""What the environment says of the runtime settings: it lies beneath what the database holds."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NewType

from domain.operations.runtime_settings import RUNTIME_SETTINGS
from domain.shared.errors import FieldError, InvalidError

# The values by the names of their settings; picklable, since workers get it from their parent.
RuntimeEnvironment = NewType("RuntimeEnvironment", dict[str, object])

RUNTIME_VARIABLES = MappingProxyType(
    {setting.variable: setting for setting in RUNTIME_SETTINGS.values()}
)


def read_runtime_environment(
    environment: Mapping[str, str], dotenv: Mapping[str, str]
) -> tuple[RuntimeEnvironment, list[FieldError]]:
    """The values, and what is wrong with them. An empty variable counts as not set."""
    values = RuntimeEnvironment({})
    problems: list[FieldError] = []
    for variable, setting in RUNTIME_VARIABLES.items():
        text = environment.get(variable, "").strip() or dotenv.get(variable, "").strip()
        if not text:
            continue
        try:
            values[setting.name] = setting.parse(text)
        except InvalidError:
            message = f"{variable}: expected {setting.type.expected}"
            problems.append(FieldError(variable, message))
    return values, problems
