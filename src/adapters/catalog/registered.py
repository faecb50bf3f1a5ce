from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from adapters.catalog.fields import Fields
from adapters.catalog.plain_nodes import node_of
from adapters.catalog.reading import Reading
from adapters.providers.definition import ProviderDefinition, ProviderType
from adapters.providers.local.configuration import LOCAL
from adapters.providers.model_options import option_problems
from adapters.providers.types import PROVIDER_TYPES
from application.models.registry.ports import CheckedConfiguration, ProviderConfigurations
from application.shared.masking import is_secret_name
from domain.models.registry.errors import wrong_fields
from domain.models.served_model import ServedModel

# What stands for the directory of a configuration file: a registry has none.
_ROOT = Path("/")
_FILE = "_file"
_SCHEMES = ("http://", "https://")


class RegisteredConfigurations(ProviderConfigurations):
    """Reads the configurations of registries as those of a file are read, but that nothing in them
    stands for a variable."""

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(PROVIDER_TYPES)

    def runs_here(self, type_name: str) -> bool:
        known = PROVIDER_TYPES.get(type_name)
        return known is not None and known.runs_here

    def is_of_the_server(self, type_name: str) -> bool:
        return type_name == LOCAL.name

    def check(self, type_name: str, name: str, given: Mapping[str, object]) -> CheckedConfiguration:
        provider_type = _type(type_name)
        self.definition(type_name, name, given)
        secret = {key for key in given if is_secret(provider_type, key)}
        problems = [
            (f"configuration.{key}", "must not hold a login")
            for key, url in _urls(given)
            if "@" in urlsplit(url).netloc and key not in secret
        ]
        if problems:
            raise wrong_fields(problems)
        return CheckedConfiguration(
            plain={key: value for key, value in given.items() if key not in secret},
            secrets={key: value for key, value in given.items() if key in secret},
            addresses=tuple((key, urlsplit(url).hostname or "") for key, url in _urls(given)),
        )

    def model_problems(self, type_name: str, model: ServedModel) -> Sequence[tuple[str, str]]:
        return option_problems(type_name, model)

    def of_the_server(self, type_name: str, given: Mapping[str, object]) -> tuple[str, ...]:
        files = tuple(key for key in given if key.endswith(_FILE))
        return (*files, "type") if self.is_of_the_server(type_name) else files

    def definition(
        self, type_name: str, name: str, given: Mapping[str, object]
    ) -> ProviderDefinition:
        """What the provider is built from, ``given`` with its secrets. Raises ``InvalidError``."""
        provider_type = _type(type_name)
        reading = Reading(None)
        fields = Fields(node_of(dict(given)), reading, f"provider '{name}'")
        definition = provider_type.read(fields, name, _ROOT)
        fields.end()
        if reading.problems:
            named = [(_place(provider_type, path), message) for path, message in reading.fields]
            raise wrong_fields(named or [("configuration", reading.problems[0][1])])
        return definition


def is_secret(provider_type: ProviderType, key: str) -> bool:
    return key in provider_type.secret_keys or is_secret_name(key)


def _type(name: str) -> ProviderType:
    known = PROVIDER_TYPES.get(name)
    if known is None:
        raise wrong_fields([("type", "must be one of " + ", ".join(PROVIDER_TYPES))])
    return known


def _place(provider_type: ProviderType, path: str) -> str:
    key = path.partition(".")[0]
    group = "credentials" if is_secret(provider_type, key) else "configuration"
    return f"{group}.{path}"


def _urls(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in given.items():
        if isinstance(value, str) and value.lower().startswith(_SCHEMES):
            yield key, value
