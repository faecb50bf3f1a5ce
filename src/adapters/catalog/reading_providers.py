import re
from pathlib import Path

from adapters.catalog.fields import Fields
from adapters.providers.definition import ProviderDefinition
from adapters.providers.types import PROVIDER_TYPES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_KEYS_OF_TYPES = tuple(
    dict.fromkeys(key for known in PROVIDER_TYPES.values() for key in known.keys)
)


def read_provider(fields: Fields, directory: Path) -> tuple[ProviderDefinition, str] | None:
    """The definition and its type. ``None`` when its name or type is wrong, which is then noted
    like all else."""
    name = fields.text("name", required=True)
    type_name = fields.text("type", required=True)
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
    return None if name is None else (definition, provider_type.name)
