"""The commands of `stoa models` that change a team's registry."""

from typing import Any

import click

from adapters.http.models.schemas import RegisteredModelView
from application.models.registry.models.create_model import CreateModel, CreateModelCommand
from application.models.registry.models.delete_model import DeleteModel, DeleteModelCommand
from application.models.registry.models.entries import ModelChange, ModelDraft
from application.models.registry.models.get_registered_model import (
    GetRegisteredModel,
    GetRegisteredModelQuery,
)
from application.models.registry.models.list_registered_models import (
    ListRegisteredModels,
    ListRegisteredModelsQuery,
)
from application.models.registry.models.update_model import UpdateModel, UpdateModelCommand
from application.models.registry.ports import ModelFilter
from domain.models.registry.model import ModelState
from domain.models.served_model import ModelKind
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.model_options import members_of, model_options
from entrypoints.cli.output import (
    json_option,
    print_json,
    print_members,
    print_table,
)
from entrypoints.cli.paging import all_of
from entrypoints.cli.session import Session, run_session


@click.command("registered")
@click.option("--kind", type=click.Choice([kind.value for kind in ModelKind]))
@click.option("--state", type=click.Choice([state.value for state in ModelState]))
@team_option
@json_option
@click.pass_obj
def list_registered(
    invocation: Invocation, kind: str | None, state: str | None, team: str | None, as_json: bool
) -> None:
    """List the models of the team's registry, also those that are switched off or archived."""
    where = ModelFilter(
        kind=None if kind is None else ModelKind(kind),
        state=None if state is None else ModelState(state),
    )

    async def work(session: Session) -> list[RegisteredModelView]:
        actor = await actor_in(session, team)
        use_case = await session.get(ListRegisteredModels)
        found = await all_of(
            lambda page: use_case(ListRegisteredModelsQuery(actor=actor, where=where, page=page))
        )
        return list(map(RegisteredModelView.of, found))

    views = run_session(invocation, work)
    if as_json:
        print_json({"items": views})
        return
    print_table(
        ("model", "aliases", "kind", "provider", "upstream name", "state", "visibility"),
        (
            (
                view.name,
                view.aliases,
                view.kind.value,
                view.provider,
                view.upstream_name,
                view.state.value,
                view.visibility.value,
            )
            for view in views
        ),
        fold=("model", "aliases", "provider", "upstream name"),
    )


@click.command("add")
@click.argument("name")
@click.option("--provider", required=True, metavar="NAME_OR_ID", help="A provider of the team.")
@model_options
@team_option
@json_option
@click.pass_obj
def add_model(
    invocation: Invocation,
    /,
    name: str,
    *,
    provider: str,
    team: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Serve a model of a provider under the NAME that calls ask for."""
    draft = ModelDraft(name=name, provider=provider, **members_of(given))

    async def work(session: Session) -> RegisteredModelView:
        use_case = await session.get(CreateModel)
        actor = await actor_in(session, team)
        return RegisteredModelView.of(await use_case(CreateModelCommand(actor=actor, draft=draft)))

    _print(run_session(invocation, work), as_json=as_json)


@click.command("set")
@click.argument("model", metavar="NAME_OR_ID")
@click.option("--name", help="Rename it.")
@click.option("--provider", metavar="NAME_OR_ID", help="Another provider of the team.")
@click.option("--enable/--disable", "enabled", default=None, help="Take calls, or refuse them.")
@model_options
@team_option
@json_option
@click.pass_obj
def set_model(
    invocation: Invocation,
    /,
    model: str,
    *,
    enabled: bool | None,
    team: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Change a model of the registry; what is not given stays."""
    members = members_of(given)
    if enabled is not None:
        members["state"] = ModelState.ENABLED if enabled else ModelState.DISABLED
    _print(_change(invocation, team, model, ModelChange(**members)), as_json=as_json)


@click.command("show")
@click.argument("model", metavar="NAME_OR_ID")
@team_option
@json_option
@click.pass_obj
def show_model(invocation: Invocation, model: str, team: str | None, as_json: bool) -> None:
    """Show a model of the registry."""

    async def work(session: Session) -> RegisteredModelView:
        use_case = await session.get(GetRegisteredModel)
        actor = await actor_in(session, team)
        query = GetRegisteredModelQuery(actor=actor, which=model)
        return RegisteredModelView.of(await use_case(query))

    _print(run_session(invocation, work), as_json=as_json)


@click.command("archive")
@click.argument("model", metavar="NAME_OR_ID")
@team_option
@json_option
@click.pass_obj
def archive_model(invocation: Invocation, model: str, team: str | None, as_json: bool) -> None:
    """Take a model out of service for good, and keep it for the calls that it has answered."""
    change = ModelChange(state=ModelState.ARCHIVED)
    _print(_change(invocation, team, model, change), as_json=as_json)


@click.command("restore")
@click.argument("model", metavar="NAME_OR_ID")
@team_option
@json_option
@click.pass_obj
def restore_model(invocation: Invocation, model: str, team: str | None, as_json: bool) -> None:
    """Take an archived model back into service."""
    change = ModelChange(state=ModelState.ENABLED)
    _print(_change(invocation, team, model, change), as_json=as_json)


@click.command("remove")
@click.argument("model", metavar="NAME_OR_ID")
@team_option
@click.pass_obj
def remove_model(invocation: Invocation, model: str, team: str | None) -> None:
    """Remove a model that was never called and that no route names."""

    async def work(session: Session) -> None:
        use_case = await session.get(DeleteModel)
        actor = await actor_in(session, team)
        await use_case(DeleteModelCommand(actor=actor, which=model))

    run_session(invocation, work)
    click.echo(f"Removed: {model}.")


def _change(
    invocation: Invocation, team: str | None, model: str, change: ModelChange
) -> RegisteredModelView:
    async def work(session: Session) -> RegisteredModelView:
        use_case = await session.get(UpdateModel)
        actor = await actor_in(session, team)
        command = UpdateModelCommand(actor=actor, which=model, change=change)
        return RegisteredModelView.of(await use_case(command))

    return run_session(invocation, work)


def _print(view: RegisteredModelView, *, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    limits = view.limits
    print_members(
        (
            ("name", view.name),
            ("aliases", view.aliases),
            ("kind", view.kind.value),
            ("provider", view.provider),
            ("upstream name", view.upstream_name),
            ("capabilities", view.capabilities and [str(one) for one in view.capabilities]),
            ("context length", view.context_length),
            ("max output tokens", view.max_output_tokens),
            ("requests per minute", limits and limits.rpm),
            ("tokens per minute", limits and limits.tpm),
            ("calls at once", limits and limits.concurrency),
            ("visibility", view.visibility.value),
            ("state", view.state.value),
            ("id", view.id),
        )
    )
