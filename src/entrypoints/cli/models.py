import click

from application.models.list_models import ListModels
from domain.models.route import Route
from domain.models.served_model import ServedModel
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_table, wide_option
from entrypoints.cli.registered_models import (
    add_model,
    archive_model,
    list_registered,
    remove_model,
    restore_model,
    set_model,
    show_model,
)
from entrypoints.cli.session import Session, run_session

COLUMNS = ("model", "aliases", "kind", "provider", "upstream name", "context", "in $/M", "out $/M")
WIDE = ("upstream name",)
ROUTE = "(route)"
# Nobody knows what it costs, which is not nothing.
UNPRICED = "unpriced"


@click.group()
def models_command() -> None:
    """See the models that are served, and set up those of a team.

    `list` shows what can be called, from wherever it is; the other commands are about the registry
    of a team.
    """


for _command in (
    list_registered,
    add_model,
    set_model,
    show_model,
    archive_model,
    restore_model,
    remove_model,
):
    models_command.add_command(_command)


@models_command.command("list")
@team_option
@wide_option
@json_option
@click.pass_obj
def list_models(invocation: Invocation, team: str | None, wide: bool, as_json: bool) -> None:
    """List what calls may ask for: the team's own models, those of other teams, those of the
    configuration in its order, and then the routes. Prices are per million tokens."""

    async def work(session: Session) -> tuple[ServedModel | Route, ...]:
        use_case = await session.get(ListModels)
        return await use_case(await actor_in(session, team))

    models = run_session(invocation, work)
    if as_json:
        print_json({"items": models})
        return
    print_table(
        COLUMNS,
        map(_row, models),
        right=("context", "in $/M", "out $/M"),
        fold=("model", "aliases", "provider", "upstream name"),
        left_out=() if wide else WIDE,
    )


def _row(entry: ServedModel | Route) -> tuple[object, ...]:
    if isinstance(entry, Route):
        targets = tuple(target.model for target in entry.targets)
        return (entry.name, entry.aliases, entry.kind.value, ROUTE, targets, None, None, None)
    return (
        entry.name,
        entry.aliases,
        entry.kind.value,
        entry.provider,
        entry.upstream_name,
        entry.context_length,
        entry.prices.input if entry.prices else UNPRICED,
        entry.prices.output if entry.prices else UNPRICED,
    )
