"""Reads the settings: option > environment > ``.env`` > default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType

import msgspec
from dotenv.parser import parse_stream

from domain.operations.errors import SettingsError
from domain.shared.errors import FieldError
from entrypoints.mail_settings import check_mail
from entrypoints.runtime_environment import (
    RUNTIME_VARIABLES,
    RuntimeEnvironment,
    read_runtime_environment,
)
from entrypoints.settings import CLIENT_VARIABLES, TEST_PREFIX, Settings, about, variable_of
from entrypoints.settings_values import NoHomeError, describe_values, parse_value

DOTENV = Path(".env")
MIN_SECRET_LENGTH = 32
# How alike an unknown name and a setting have to be for one to be meant by the other.
CLOSE = 0.8
_PLACEHOLDERS = ("change", "default", "example", "placeholder", "secret")


class SettingSource(StrEnum):
    OPTION = "option"
    ENVIRONMENT = "environment"
    DOTENV = ".env"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """The settings, where each came from, what the environment says of the runtime settings, and
    the variables (``.env`` included) that the configuration file may refer to."""

    settings: Settings
    sources: Mapping[str, SettingSource]
    runtime: RuntimeEnvironment = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)


def load_settings(
    environ: Mapping[str, str] | None = None,
    dotenv_path: Path | None = DOTENV,
    overrides: Mapping[str, object] | None = None,
) -> LoadedSettings:
    """Raises ``SettingsError`` that names every variable that is wrong and what was expected.

    ``overrides`` are the options of the command line by setting; ``None`` is one not given. An
    empty variable counts as not set.
    """
    environment = os.environ if environ is None else environ
    dotenv = {} if dotenv_path is None else _read_dotenv(dotenv_path)
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    read = _read_values(given, environment, dotenv)
    runtime, runtime_problems = read_runtime_environment(environment, dotenv)
    problems = [
        *_unknown(environment, "environment"),
        *_unknown(dotenv, str(dotenv_path)),
        *read.problems,
        *runtime_problems,
    ]
    if not problems:
        settings = Settings(**read.values)  # type: ignore[arg-type]  # each was checked on its own
        problems = [
            *_check_production(settings),
            *check_mail(settings),
            *_check_networks(settings, read.sources),
        ]
    if problems:
        raise SettingsError("; ".join(p.message for p in problems), errors=tuple(problems))
    return LoadedSettings(
        settings=settings,
        sources=MappingProxyType(read.sources),
        runtime=runtime,
        variables=MappingProxyType({**dotenv, **environment}),
    )


@dataclass(frozen=True, slots=True)
class _Values:
    """What was read of each setting, and what is wrong with it."""

    values: dict[str, object] = field(default_factory=dict)
    sources: dict[str, SettingSource] = field(default_factory=dict)
    problems: list[FieldError] = field(default_factory=list)


def _read_values(
    given: Mapping[str, object], environment: Mapping[str, str], dotenv: Mapping[str, str]
) -> _Values:
    read = _Values()
    needless: list[FieldError] = []
    for item in msgspec.structs.fields(Settings):
        raw, source = _find(item.name, given, environment, dotenv)
        read.sources[item.name] = source
        try:
            read.values[item.name] = parse_value(item.type, raw, about(item.name))
        except NoHomeError:
            read.values[item.name] = Path(str(raw))
            unresolved = needless if source is SettingSource.DEFAULT else read.problems
            unresolved.append(_no_home(item.name, raw, source))
        except ValueError:
            read.problems.append(_describe(item, raw, source))
    if read.values.get("database_url") is None:
        # Nothing else is kept in the data directory.
        read.problems.extend(needless)
    return read


def _read_dotenv(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8") as file:
            bindings = list(parse_stream(file))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    for binding in bindings:
        if binding.error:
            raise SettingsError(f"{path}, line {binding.original.line}: expected NAME=value")
    return {b.key: b.value or "" for b in bindings if b.key is not None}


def _unknown(variables: Mapping[str, str], where: str) -> list[FieldError]:
    known = [*(variable_of(name) for name in Settings.__struct_fields__), *RUNTIME_VARIABLES]
    problems = []
    for name in sorted(variables):
        if not name.startswith("STOA_") or name.startswith(TEST_PREFIX):
            continue
        if name in known or name in CLIENT_VARIABLES:
            continue
        close = get_close_matches(name, known, n=1, cutoff=CLOSE)
        hint = f"did you mean {close[0]}?" if close else "`stoa settings show` lists them all"
        message = f"{name} ({where}) is not a setting: {hint}"
        problems.append(FieldError(name, message, "unknown_setting"))
    return problems


def _find(
    name: str,
    overrides: Mapping[str, object],
    environment: Mapping[str, str],
    dotenv: Mapping[str, str],
) -> tuple[object, SettingSource]:
    if name in overrides:
        return overrides[name], SettingSource.OPTION
    variable = variable_of(name)
    if value := environment.get(variable, "").strip():
        return value, SettingSource.ENVIRONMENT
    if value := dotenv.get(variable, "").strip():
        return value, SettingSource.DOTENV
    default = next(f.default for f in msgspec.structs.fields(Settings) if f.name == name)
    return default, SettingSource.DEFAULT


def _describe(item: msgspec.structs.FieldInfo, raw: object, source: SettingSource) -> FieldError:
    details = about(item.name)
    shown = "" if details.secret or "url" in item.name else f", got '{raw}'"
    expected = describe_values(item.type, details)
    message = f"{_place(item.name, source)}: expected {expected}{shown}"
    return FieldError(variable_of(item.name), message)


def _no_home(name: str, raw: object, source: SettingSource) -> FieldError:
    message = f"{_place(name, source)}: there is no home directory for '{raw}'; give a whole path"
    return FieldError(variable_of(name), message)


def _place(name: str, source: SettingSource) -> str:
    if source is SettingSource.OPTION:
        return f"--{name.replace('_', '-')}"
    return f"{variable_of(name)} ({source})"


def _check_networks(settings: Settings, sources: Mapping[str, SettingSource]) -> list[FieldError]:
    name = "trusted_proxies"
    problems = []
    for network in settings.trusted_proxies:
        try:
            ip_network(network, strict=False)
        except ValueError:
            message = f"{_place(name, sources[name])}: '{network}' is no address and no network"
            problems.append(FieldError(variable_of(name), message))
    return problems


def _check_production(settings: Settings) -> list[FieldError]:
    if not settings.is_production or _is_strong(settings.secret_key or ""):
        return []
    message = (
        f"STOA_SECRET_KEY: production needs a random secret of at least {MIN_SECRET_LENGTH} "
        "characters; make one with `openssl rand -hex 32`, set it and keep it"
    )
    return [FieldError("STOA_SECRET_KEY", message, "insecure")]


def _is_strong(key: str) -> bool:
    few = len(set(key)) < MIN_SECRET_LENGTH // 4
    lowered = key.lower()
    return (
        len(key) >= MIN_SECRET_LENGTH and not few and not any(w in lowered for w in _PLACEHOLDERS)
    )
