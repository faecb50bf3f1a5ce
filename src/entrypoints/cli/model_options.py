"""What the commands say of a model."""

import json
from collections.abc import Callable
from typing import Any

import click

from domain.models.registry.model import Visibility
from domain.models.served_model import Capability, DeploymentLimits, ModelKind
from entrypoints.cli.output import Command

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--upstream", "upstream_name", help="What the provider calls the model."),
    click.option("--kind", type=click.Choice([kind.value for kind in ModelKind])),
    click.option("--alias", "aliases", multiple=True, help="Another name. May be repeated."),
    click.option(
        "--capability",
        "capabilities",
        multiple=True,
        type=click.Choice([one.value for one in Capability]),
        help="What a chat model can do besides text; anything is tried unless said. Repeatable.",
    ),
    click.option("--context-length", type=int, help="Prompt and answer together, in tokens."),
    click.option("--max-output-tokens", type=int, help="Of one answer."),
    click.option("--rpm", type=int, help="Requests per minute that it takes from all callers."),
    click.option("--tpm", type=int, help="Tokens per minute that it takes from all callers."),
    click.option("--concurrency", type=int, help="Calls at the same time."),
    click.option(
        "--visibility",
        type=click.Choice([one.value for one in Visibility]),
        help="Whether the other teams of the server may use it too.",
    ),
    click.option("--options", metavar="JSON", help="What else its provider understands."),
)


def model_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def members_of(given: dict[str, Any]) -> dict[str, Any]:
    """The members of a draft or a change that the options say; one not given is left out."""
    limits = {name: given.pop(name) for name in ("rpm", "tpm", "concurrency")}
    found: dict[str, Any] = {
        name: value for name, value in given.items() if value not in (None, ())
    }
    if any(limit is not None for limit in limits.values()):
        found["limits"] = DeploymentLimits(**limits)
    if "capabilities" in found:
        found["capabilities"] = frozenset(map(Capability, found["capabilities"]))
    if "kind" in found:
        found["kind"] = ModelKind(found["kind"])
    if "visibility" in found:
        found["visibility"] = Visibility(found["visibility"])
    if "options" in found:
        found["options"] = _mapping(found["options"])
    return found


def _mapping(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise click.UsageError("--options must be a JSON object.")
    return value
