import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import get_terminal_size

import click
from rich.cells import cell_len

from adapters.catalog.catalog_file import load_catalog, read_team_file
from adapters.catalog.litellm import import_litellm
from adapters.catalog.wanted import wanted_of
from adapters.catalog.writing import write_registry
from application.models.applying.apply_registry import ApplyRegistry, ApplyRegistryCommand
from application.models.applying.read_registry import ReadRegistry, TeamRegistry
from application.models.applying.registry_difference import Deed, Difference
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.client_configuration import CLIENTS, Client, configuration_for
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, shown
from entrypoints.cli.session import Session, run_session, settings_of

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SIGNS = {
    Deed.CREATED: "+",
    Deed.CHANGED: "~",
    Deed.REMOVED: "-",
    Deed.ARCHIVED: "-",
}
_SECRET = "credentials"  # noqa: S105 - the name of a member


@click.group()
def config_command() -> None:
    """Apply, check, import and export configurations."""


@config_command.command("apply")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--prune", is_flag=True, help="Remove what the file does not have.")
@team_option
@json_option
@click.pass_obj
def apply_config(
    invocation: Invocation,
    /,
    file: Path,
    *,
    dry_run: bool,
    prune: bool,
    team: str | None,
    as_json: bool,
) -> None:
    """Make the providers, models and routes of FILE those of the team's registry.

    All of it becomes true, or nothing. What the file does not have stays, unless --prune is given;
    a model that was called is archived then. Variables come from the environment and from .env.
    """
    wanted = wanted_of(read_team_file(file, _variables(invocation)))

    async def work(session: Session) -> tuple[Difference, ...]:
        use_case = await session.get(ApplyRegistry)
        actor = await actor_in(session, team)
        return await use_case(
            ApplyRegistryCommand(actor=actor, wanted=wanted, prune=prune, dry_run=dry_run)
        )

    differences = run_session(invocation, work)
    if as_json:
        print_json({"dry_run": dry_run, "items": differences})
        return
    if not differences:
        click.echo("Nothing to do.")
    for difference in differences:
        _print_difference(difference)
    if differences and dry_run:
        click.echo("Nothing was changed (--dry-run).")


@config_command.command("check")
@click.argument("file", type=FILE)
@click.option("--team-file", is_flag=True, help="It is for `stoa config apply`, not for `serve`.")
@click.pass_obj
def check_config(invocation: Invocation, file: Path, team_file: bool) -> None:
    """Read FILE and say what is wrong with it, without a server or a database."""
    variables = _variables(invocation)
    read = (read_team_file if team_file else load_catalog)(file, variables)
    click.echo(
        f"Sound: {len(read.providers)} providers, {len(read.models)} models,"
        f" {len(read.routes)} routes."
    )


@config_command.command("import-litellm")
@click.argument("file", type=FILE)
def import_litellm_config(file: Path) -> None:
    """Print the configuration of a LiteLLM proxy as one of Stoa's.

    What cannot be carried over is told on standard error, each key with the reason.
    """
    imported = import_litellm(file)
    click.echo(imported.text, nl=False)
    for key, reason in imported.left_out:
        click.echo(f"{key}: {reason}", err=True)


@config_command.command("export")
@click.option("--for", "client", type=click.Choice(CLIENTS), help="What to paste into that client.")
@click.option("--url", help="Where the server is reached; STOA_PUBLIC_URL unless it is given.")
@click.option("--key", metavar="KEY", help="Put this key in instead of a variable.")
@team_option
@click.pass_obj
def export_config(
    invocation: Invocation,
    client: Client | None,
    url: str | None,
    key: str | None,
    team: str | None,
) -> None:
    """Print the team's registry as a file for `stoa config apply`, with variables in the places of
    secrets; or, with --for, what a client needs to know of the server."""
    if client is not None:
        click.echo(configuration_for(invocation, client, url=url, key=key, team=team), nl=False)
        return

    async def work(session: Session) -> TeamRegistry:
        use_case = await session.get(ReadRegistry)
        return await use_case(await actor_in(session, team))

    click.echo(write_registry(run_session(invocation, work)), nl=False)


def _variables(invocation: Invocation) -> Mapping[str, str]:
    return settings_of(invocation).variables


def _print_difference(difference: Difference) -> None:
    deed = " (archived: it was called)" if difference.deed is Deed.ARCHIVED else ""
    click.echo(f"{_SIGNS[difference.deed]} {difference.what} {difference.name}{deed}")
    for field in difference.fields:
        if field.field == _SECRET:
            click.echo(f"    {field.field}: changed")
            continue
        before, after = shown(field.before), shown(field.after)
        line = f"    {field.field}: {before} -> {after}"
        if sys.stdout.isatty() and cell_len(line) > get_terminal_size().columns:
            line = f"    {field.field}:\n      - {before}\n      + {after}"
        click.echo(line)
