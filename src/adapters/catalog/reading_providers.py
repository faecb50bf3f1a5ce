import re
from dataclasses import dataclass, field
from pathlib import Path

from adapters.catalog.fields import Fields
from adapters.providers.definition import ProviderDefinition
from adapters.providers.types import PROVIDER_TYPES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_OF_ALL = ("name", "type", "enabled")
_KEYS_OF_TYPES = tuple(
    dict.fromkeys(key for known in PROVIDER_TYPES.values() for key in known.keys)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProvider:
    """``given`` is what the file says, secrets included, apart from the name and the type."""

    definition: ProviderDefinition
    type: str
    given: dict[str, object] = field(repr=False)
    is_enabled: bool = True

    @property
    def name(self) -> str:
        return self.definition.name


def read_provider(fields: Fields, directory: Path) -> ReadProvider | None:
    """``None`` when its name or type is wrong, which is then noted like all else."""
    name = fields.text("name", required=True)
    type_name = fields.text("type", required=True)
    is_enabled = fields.flag("enabled") is not False
    provider_type = PROVIDER_TYPES.get(type_name or "")
    if name is not None and not _NAME.fullmatch(name):
        fields.note("name", "may have 1 to 100 letters, digits, '.', '_' and '-'")
    if provider_type is None:
        if type_name is not None:
            fields.note("type", "must be one of " + ", ".join(PROVIDER_TYPES))
        fields.allow(*_KEYS_OF_TYPES)
        fields.end()
        return None
    definition = provider_type.read(fields, name or "", directory)
    reason = f"does not apply to the type '{provider_type.name}'"
    fields.end(dict.fromkeys(_KEYS_OF_TYPES, reason))
    if name is None:
        return None
    given = {key: value for key, value in fields.plain().items() if key not in _OF_ALL}
    for key, value in given.items():
        if key.endswith("_file"):
            given[key] = str(directory / Path(str(value)).expanduser())
    return ReadProvider(
        definition=definition, type=provider_type.name, given=given, is_enabled=is_enabled
    )
