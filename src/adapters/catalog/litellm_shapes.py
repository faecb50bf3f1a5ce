"""The shapes that a LiteLLM proxy wants itself."""

from collections.abc import Mapping
from typing import Any

from domain.models.errors import CatalogError


def mapping_at(given: Mapping[str, Any], key: str, where: str = "") -> dict[str, Any]:
    """Empty where nothing is given. Raises ``CatalogError``."""
    value = given.get(key)
    if value is not None and not isinstance(value, dict):
        raise CatalogError(f"'{where}{key}' must be a mapping")
    return {str(name): one for name, one in (value or {}).items()}


def list_at(given: Mapping[str, Any], key: str, where: str = "") -> list[Any]:
    """Empty where nothing is given. Raises ``CatalogError``."""
    value = given.get(key)
    if value is not None and not isinstance(value, list):
        raise CatalogError(f"'{where}{key}' must be a list")
    return list(value or ())
