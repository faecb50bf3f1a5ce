"""The file of a LiteLLM proxy with what it includes, as plain values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from adapters.catalog.document import read_document
from adapters.catalog.litellm_shapes import list_at, mapping_at
from domain.models.errors import CatalogError

MOST_VALUES = 100_000
_LIMITS = frozenset({"rpm", "tpm"})
_CREDENTIAL = "litellm_credential_name"


def read_litellm(path: Path) -> dict[str, Any]:
    """Raises ``CatalogError`` for what is no configuration of a LiteLLM proxy."""
    whole = _with_included(path)
    if "model_list" not in whole:
        raise CatalogError(f"{path} has no 'model_list': it is no configuration of a LiteLLM proxy")
    whole["model_list"] = list_at(whole, "model_list")
    return _with_credentials(whole)


def _read(path: Path) -> dict[str, Any]:
    # Their files often say things once and refer to them, which ours may not.
    node = read_document(path, has_references=True)
    try:
        whole = yaml.constructor.SafeConstructor().construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise CatalogError(f"not valid YAML: {error.problem} (in {path})") from error
    _refuse_too_much([whole], path)
    return whole if isinstance(whole, dict) else {}


def _refuse_too_much(ahead: list[Any], path: Path) -> None:
    """What is referred to counts wherever it stands, and without an end where it holds itself."""
    seen = 0
    while ahead:
        value = ahead.pop()
        seen += 1
        if seen > MOST_VALUES:
            raise CatalogError(f"{path} says more than {MOST_VALUES} things")
        if isinstance(value, dict):
            ahead += value.values()
        elif isinstance(value, list):
            ahead += value


def _with_included(path: Path) -> dict[str, Any]:
    """Lists of an included file are added to those that are there, all else replaces it; what an
    included file includes is not looked at, there neither."""
    whole = _read(path)
    for name in list_at(whole, "include"):
        for key, value in _read(path.parent / str(name)).items():
            if key == "include":
                continue
            if isinstance(value, list) and isinstance(whole.get(key), list):
                whole[key] = [*whole[key], *value]
            else:
                whole[key] = value
    whole.pop("include", None)
    return whole


def _with_credentials(whole: dict[str, Any]) -> dict[str, Any]:
    """What deployments say by the name of a credential, put where they say it."""
    known: dict[str, dict[str, Any]] = {
        str(one.get("credential_name")): mapping_at(one, "credential_values", "credential_list[].")
        for one in list_at(whole, "credential_list")
        if isinstance(one, dict)
    }
    whole.pop("credential_list", None)
    whole["model_list"] = [
        _with_limits(_with_values(entry, known)) for entry in whole["model_list"]
    ]
    return whole


def _with_limits(entry: Any) -> Any:
    """Beside the parameters they mean the same as among them."""
    if not isinstance(entry, dict):
        return entry
    parameters = mapping_at(entry, "litellm_params", "model_list[].")
    for key in _LIMITS & entry.keys():
        parameters.setdefault(key, entry[key])
    rest = {key: value for key, value in entry.items() if key not in _LIMITS}
    return {**rest, "litellm_params": parameters}


def _with_values(entry: Any, known: Mapping[str, Mapping[str, Any]]) -> Any:
    parameters = entry.get("litellm_params") if isinstance(entry, dict) else None
    if not isinstance(parameters, dict):
        return entry
    values = known.get(str(parameters.get(_CREDENTIAL)))
    if values is None:
        return entry
    own = {key: value for key, value in parameters.items() if key != _CREDENTIAL}
    return {**entry, "litellm_params": {**values, **own}}
