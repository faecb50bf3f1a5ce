import click

from application.models.list_models import ListModels
from domain.models.served_model import ServedModel
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_table, wide_option
from entrypoints.cli.session import Session, run_session

COLUMNS = ("model", "aliases", "kind", "provider", "upstream name", "context", "in $/M", "out $/M")
WIDE = ("upstream name",)


@click.group()
def models_command() -> None:
    """See the models that are served."""


@models_command.command("list")
@wide_option
@json_option
@click.pass_obj
def list_models(invocation: Invocation, wide: bool, as_json: bool) -> None:
    """List the models in the order of the configuration. Prices are per million tokens."""

    async def work(session: Session) -> tuple[ServedModel, ...]:
        use_case = await session.get(ListModels)
        return await use_case(session.actor)

    models = run_session(invocation, work)
    if as_json:
        print_json({"items": models})
        return
    print_table(
        COLUMNS,
        (
            (
                model.name,
                model.aliases,
                model.kind.value,
                model.provider,
                model.upstream_name,
                model.context_length,
                model.prices and model.prices.input,
                model.prices and model.prices.output,
            )
            for model in models
        ),
        right=("context", "in $/M", "out $/M"),
        fold=("model", "aliases", "provider", "upstream name"),
        left_out=() if wide else WIDE,
    )
