"""The configuration file of providers and models, or what is served without one."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from adapters.catalog.definitions import LoadedCatalog
from adapters.catalog.document import read_document
from adapters.catalog.embedded import embedded_catalog
from adapters.catalog.fields import Fields
from adapters.catalog.reading import Reading
from adapters.catalog.reading_models import read_model
from adapters.catalog.reading_providers import read_provider
from adapters.providers.definition import ProviderDefinition
from domain.models.served_model import ServedModel


def load_catalog(path: Path | None, variables: Mapping[str, str]) -> LoadedCatalog:
    """Read the file, or return the embedded catalog when there is none.

    ``variables`` answer ``${NAME}`` inside the file. Raises ``CatalogError`` that names all that is
    wrong, each with its line and key.
    """
    if path is None:
        return embedded_catalog()
    directory = path.absolute().parent
    reading = Reading(variables)
    top = Fields(read_document(path), reading, "the file")
    providers = _read_providers(top, reading, directory)
    types = {name: type_name for name, (_, type_name) in providers.items()}
    models = _read_models(top, reading, types, directory)
    top.end()
    reading.raise_problems(path)
    return LoadedCatalog(
        providers=tuple(definition for definition, _ in providers.values()),
        models=models,
        source=path,
    )


def _read_providers(
    top: Fields, reading: Reading, directory: Path
) -> dict[str, tuple[ProviderDefinition, str]]:
    """The definitions with their types, by name."""
    providers: dict[str, tuple[ProviderDefinition, str]] = {}
    for node in top.nodes("providers", required=True):
        fields = Fields(node, reading, _title("provider", node))
        read = read_provider(fields, directory) if fields.is_mapping else None
        if read is None:
            continue
        name = read[0].name
        if name in providers:
            fields.note("name", "is taken by another provider")
        providers[name] = read
    return providers


def _read_models(
    top: Fields,
    reading: Reading,
    types: Mapping[str, str],
    directory: Path,
) -> tuple[ServedModel, ...]:
    """``types`` are the types of the providers by name."""
    models: list[ServedModel] = []
    taken: set[str] = set()
    nodes = top.nodes("models", required=True)
    if not nodes and top.has("models"):
        top.note("models", "must list at least one model")
    for node in nodes:
        fields = Fields(node, reading, _title("model", node))
        model = read_model(fields, types, directory) if fields.is_mapping else None
        if model is None:
            continue
        models.append(model)
        for position, name in enumerate(model.names):
            if name in taken:
                fields.note("aliases" if position else "name", f"repeats '{name}'")
            taken.add(name)
    return tuple(models)


def _title(what: str, node: yaml.Node) -> str:
    """``model 'gpt'``, so that a message can be understood without counting lines."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "name" and isinstance(value, yaml.ScalarNode):
                return f"{what} '{value.value}'"
    return f"a {what}"
