"""The configuration file of providers, models and routes, or what is served without one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from adapters.catalog.definitions import LoadedCatalog
from adapters.catalog.document import line_of, read_document
from adapters.catalog.embedded import embedded_catalog
from adapters.catalog.fields import Fields
from adapters.catalog.reading import Reading
from adapters.catalog.reading_models import read_model
from adapters.catalog.reading_providers import ReadProvider, read_provider
from adapters.catalog.reading_routes import note_references, read_route
from domain.models.prices import Prices
from domain.models.registry.model import Visibility
from domain.models.route import Route
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFile:
    """What a file says. ``prices`` are those that stand in it, by the names of the models, and
    ``lines`` those where its entries begin, by what each is and its name."""

    providers: tuple[ReadProvider, ...]
    models: tuple[ServedModel, ...]
    routes: tuple[Route, ...]
    prices: Mapping[str, Prices]
    lines: Mapping[tuple[str, str], int]


def load_catalog(path: Path | None, variables: Mapping[str, str]) -> LoadedCatalog:
    """Read the file that a server serves, or return the embedded catalog when there is none.

    ``variables`` answer ``${NAME}`` inside the file. Raises ``CatalogError`` that names all that is
    wrong, each with its line and key.
    """
    if path is None:
        return embedded_catalog()
    read = _Pass(path, variables, of_team=False).read()
    off = {provider.name for provider in read.providers if not provider.is_enabled}
    return LoadedCatalog(
        providers=tuple(provider.definition for provider in read.providers),
        models=tuple(
            replace(model, is_enabled=False) if model.provider in off else model
            for model in read.models
        ),
        routes=read.routes,
        types={provider.name: provider.type for provider in read.providers},
        source=path,
    )


def read_team_file(path: Path, variables: Mapping[str, str]) -> CatalogFile:
    """Read a file that is to become true in the registry of a team. Raises ``CatalogError``."""
    return _Pass(path, variables, of_team=True).read()


class _Pass:
    """One pass over a file. In that ``of_team`` visibility means something, and routes may name
    what is not in it."""

    def __init__(self, path: Path, variables: Mapping[str, str], *, of_team: bool) -> None:
        self._path = path
        self._directory = path.absolute().parent
        self._reading = Reading(variables)
        self._of_team = of_team
        self._names: dict[str, ServedModel | Route] = {}
        self._prices: dict[str, Prices] = {}
        self._lines: dict[tuple[str, str], int] = {}

    def read(self) -> CatalogFile:
        top = Fields(read_document(self._path), self._reading, "the file")
        providers = self._read_providers(top)
        types = {name: provider.type for name, provider in providers.items()}
        models = self._read_models(top, types)
        routes = self._read_routes(top)
        top.end()
        self._reading.raise_problems(self._path)
        return CatalogFile(
            providers=tuple(providers.values()),
            models=models,
            routes=routes,
            prices=self._prices,
            lines=self._lines,
        )

    def _read_providers(self, top: Fields) -> dict[str, ReadProvider]:
        providers: dict[str, ReadProvider] = {}
        for node in top.nodes("providers", required=True):
            fields = Fields(node, self._reading, _title("provider", node))
            read = read_provider(fields, self._directory) if fields.is_mapping else None
            if read is None:
                continue
            if read.name in providers:
                fields.note("name", "is taken by another provider")
            providers[read.name] = read
            self._lines["provider", read.name] = line_of(node)
        return providers

    def _read_models(self, top: Fields, types: Mapping[str, str]) -> tuple[ServedModel, ...]:
        """``types`` are the types of the providers by name."""
        models: list[ServedModel] = []
        nodes = top.nodes("models", required=True)
        if not nodes and top.has("models") and not self._of_team:
            top.note("models", "must list at least one model")
        for node in nodes:
            fields = Fields(node, self._reading, _title("model", node))
            if not fields.is_mapping:
                continue
            is_public = self._is_public(fields)
            model = read_model(fields, types, self._directory, is_public=is_public)
            if model is not None:
                models.append(model)
                self._take_names(fields, model)
                self._lines["model", model.name] = line_of(node)
                if model.prices is not None and fields.has("prices"):
                    self._prices[model.name] = model.prices
        return tuple(models)

    def _read_routes(self, top: Fields) -> tuple[Route, ...]:
        read: list[tuple[Fields, Route]] = []
        for node in top.nodes("routes"):
            fields = Fields(node, self._reading, _title("route", node))
            if not fields.is_mapping:
                continue
            route = read_route(fields, is_public=self._is_public(fields))
            if route is not None:
                read.append((fields, route))
                self._take_names(fields, route)
                self._lines["route", route.name] = line_of(node)
        for fields, route in () if self._of_team else read:
            note_references(fields, route, self._names.get)
        return tuple(route for _, route in read)

    def _is_public(self, fields: Fields) -> bool:
        visibility = fields.choice("visibility", Visibility)
        if visibility is not None and not self._of_team:
            fields.note("visibility", "is for the registries of teams; a server's file is for all")
        return not self._of_team or visibility is Visibility.PUBLIC

    def _take_names(self, fields: Fields, entry: ServedModel | Route) -> None:
        for position, name in enumerate(entry.names):
            if name in self._names:
                fields.note("aliases" if position else "name", f"repeats '{name}'")
            self._names[name] = entry


def _title(what: str, node: yaml.Node) -> str:
    """``model 'gpt'``, so that a message can be understood without counting lines."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "name" and isinstance(value, yaml.ScalarNode):
                return f"{what} '{value.value}'"
    return f"a {what}"
