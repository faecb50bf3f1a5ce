from pathlib import Path

import pytest

from adapters.catalog.catalog_file import load_catalog
from adapters.providers.google.configuration import GoogleProviderDefinition
from domain.models.errors import CatalogError


def read(tmp_path: Path, members: str) -> GoogleProviderDefinition:
    config = tmp_path / "stoa.yaml"
    config.write_text(
        f"providers:\n  - {{name: gemini, type: google{members}}}\n"
        "models:\n  - {name: flash, provider: gemini, upstream_name: gemini-2.5-flash}\n"
    )
    (definition,) = load_catalog(config, {"KEY": "AIza-canary"}).providers
    assert isinstance(definition, GoogleProviderDefinition)
    return definition


def test_a_key_is_enough(tmp_path: Path) -> None:
    definition = read(tmp_path, ', api_key: "${KEY}"')

    assert definition.http.base_url == "https://generativelanguage.googleapis.com/v1beta"
    assert definition.http.api_key == "AIza-canary"
    assert "canary" not in repr(definition)


def test_a_key_is_needed(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="'api_key' is missing"):
        read(tmp_path, "")
