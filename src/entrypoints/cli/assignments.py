"""Options of the form ``KEY=VALUE``, and secrets that do not stand in them."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping

import click

from adapters.catalog.registered import is_secret
from adapters.providers.types import PROVIDER_TYPES
from entrypoints.cli.output import Command

set_option = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="A key of the configuration, as in a configuration file; timeouts.total=60 for a nested"
    " one. May be repeated.",
)
secret_option = click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="KEY[=VARIABLE]",
    help="A secret such as api_key, from the environment variable, else asked for or read from"
    " standard input, a line for each. May be repeated.",
)


def configuration_options(command: Command) -> Command:
    return set_option(secret_option(command))


def assigned(assignments: Iterable[str], type_name: str | None) -> dict[str, object]:
    """The configuration that the options say. Raises ``UsageError``, also for a secret, since
    others on the machine see the arguments of a command."""
    configuration: dict[str, object] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not key or not equals:
            raise click.UsageError(f"'{assignment}' is not KEY=VALUE.")
        if _is_secret(key.partition(".")[0], type_name):
            raise click.UsageError(f"'{key}' is a secret: give it with --secret {key}.")
        _put(configuration, key, _value_of(text))
    return configuration


def asked_secrets(
    secrets: Iterable[str], ask: Callable[[str], str] | None = None
) -> dict[str, object]:
    found: dict[str, object] = {}
    for secret in secrets:
        key, equals, variable = secret.partition("=")
        if not equals:
            _put(found, key, (ask or _ask)(key))
            continue
        value = os.environ.get(variable)
        if not value:
            raise click.UsageError(f"The variable {variable} is not set.")
        _put(found, key, value)
    return found


def _ask(key: str) -> str:
    if sys.stdin.isatty():
        answer: str = click.prompt(key, hide_input=True, err=True)
        return answer
    return sys.stdin.readline().rstrip("\r\n")


def _is_secret(key: str, type_name: str | None) -> bool:
    known = PROVIDER_TYPES if type_name is None else {type_name: PROVIDER_TYPES.get(type_name)}
    return any(one is not None and is_secret(one, key) for one in known.values())


def _put(place: dict[str, object], key: str, value: object) -> None:
    first, dot, rest = key.partition(".")
    if not dot:
        place[first] = value
        return
    nested = place.setdefault(first, {})
    if isinstance(nested, dict):
        _put(nested, rest, value)


def _value_of(text: str) -> object:
    """Numbers, true, false, lists and mappings as JSON has them, anything else as text."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return text if value is None else value


def merged(*parts: Mapping[str, object]) -> dict[str, object]:
    return {key: value for part in parts for key, value in part.items()}
