import click

from adapters.http.providers.schemas import ProviderView
from application.models.registry.providers.create_provider import (
    CreateProvider,
    CreateProviderCommand,
)
from application.models.registry.providers.delete_provider import (
    DeleteProvider,
    DeleteProviderCommand,
)
from application.models.registry.providers.entries import ProviderChange, ProviderDraft
from application.models.registry.providers.get_provider import GetProvider, GetProviderQuery
from application.models.registry.providers.list_providers import (
    ListProviders,
    ListProvidersQuery,
)
from application.models.registry.providers.update_provider import (
    UpdateProvider,
    UpdateProviderCommand,
)
from application.shared.unset import UNSET
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.assignments import asked_secrets, assigned, configuration_options, merged
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_members, print_table
from entrypoints.cli.paging import all_of
from entrypoints.cli.provider_checks import list_offers, try_provider
from entrypoints.cli.session import Session, run_session


@click.group()
def providers_command() -> None:
    """Set up providers in the registry of a team."""


for _command in (try_provider, list_offers):
    providers_command.add_command(_command)


@providers_command.command("list")
@team_option
@json_option
@click.pass_obj
def list_providers(invocation: Invocation, team: str | None, as_json: bool) -> None:
    """List the providers of the team. Secrets are masked."""

    async def work(session: Session) -> list[ProviderView]:
        actor = await actor_in(session, team)
        use_case = await session.get(ListProviders)
        found = await all_of(lambda page: use_case(ListProvidersQuery(actor=actor, page=page)))
        return list(map(ProviderView.of, found))

    views = run_session(invocation, work)
    if as_json:
        print_json({"items": views})
        return
    print_table(
        ("name", "type", "address", "enabled", "problem", "id"),
        (
            (
                view.name,
                view.type,
                view.configuration.get("base_url"),
                view.enabled,
                view.problem,
                view.id,
            )
            for view in views
        ),
        fold=("name", "address", "problem"),
    )


@providers_command.command("add")
@click.argument("name")
@click.option("--type", "type_name", required=True, help="Such as openai, anthropic or ollama.")
@configuration_options
@click.option("--disabled", is_flag=True, help="Take no calls yet.")
@team_option
@json_option
@click.pass_obj
def add_provider(
    invocation: Invocation,
    /,
    name: str,
    *,
    type_name: str,
    assignments: tuple[str, ...],
    secrets: tuple[str, ...],
    disabled: bool,
    team: str | None,
    as_json: bool,
) -> None:
    """Set up a provider called NAME. Its secrets are stored encrypted, and never shown again."""
    draft = ProviderDraft(
        name=name,
        type=type_name,
        configuration_and_secrets=merged(assigned(assignments, type_name), asked_secrets(secrets)),
        is_enabled=not disabled,
    )

    async def work(session: Session) -> ProviderView:
        use_case = await session.get(CreateProvider)
        actor = await actor_in(session, team)
        return ProviderView.of(await use_case(CreateProviderCommand(actor=actor, draft=draft)))

    _print(run_session(invocation, work), as_json=as_json)


@providers_command.command("set")
@click.argument("provider", metavar="NAME_OR_ID")
@click.option("--name", help="Rename it.")
@configuration_options
@click.option("--unset", multiple=True, metavar="KEY", help="Remove a key. May be repeated.")
@click.option("--enable/--disable", "enabled", default=None, help="Take calls, or refuse them.")
@team_option
@json_option
@click.pass_obj
def set_provider(
    invocation: Invocation,
    /,
    provider: str,
    *,
    name: str | None,
    assignments: tuple[str, ...],
    secrets: tuple[str, ...],
    unset: tuple[str, ...],
    enabled: bool | None,
    team: str | None,
    as_json: bool,
) -> None:
    """Change a provider; what is not given stays. Whoever changes where requests go gives all
    secrets again."""
    given = merged(assigned(assignments, None), asked_secrets(secrets), dict.fromkeys(unset))
    change = ProviderChange(
        name=UNSET if name is None else name,
        configuration_and_secrets=given or UNSET,
        is_enabled=UNSET if enabled is None else enabled,
    )

    async def work(session: Session) -> ProviderView:
        use_case = await session.get(UpdateProvider)
        actor = await actor_in(session, team)
        command = UpdateProviderCommand(actor=actor, which=provider, change=change)
        return ProviderView.of(await use_case(command))

    _print(run_session(invocation, work), as_json=as_json)


@providers_command.command("show")
@click.argument("provider", metavar="NAME_OR_ID")
@team_option
@json_option
@click.pass_obj
def show_provider(invocation: Invocation, provider: str, team: str | None, as_json: bool) -> None:
    """Show a provider. Secrets are masked."""

    async def work(session: Session) -> ProviderView:
        use_case = await session.get(GetProvider)
        actor = await actor_in(session, team)
        return ProviderView.of(await use_case(GetProviderQuery(actor=actor, which=provider)))

    _print(run_session(invocation, work), as_json=as_json)


@providers_command.command("remove")
@click.argument("provider", metavar="NAME_OR_ID")
@team_option
@click.pass_obj
def remove_provider(invocation: Invocation, provider: str, team: str | None) -> None:
    """Remove a provider that has no models, and its secrets with it."""

    async def work(session: Session) -> None:
        use_case = await session.get(DeleteProvider)
        actor = await actor_in(session, team)
        await use_case(DeleteProviderCommand(actor=actor, which=provider))

    run_session(invocation, work)
    click.echo(f"Removed: {provider}.")


def _print(view: ProviderView, *, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    print_members(
        (
            ("name", view.name),
            ("type", view.type),
            *((key, value) for key, value in view.configuration.items()),
            *view.credentials.items(),
            ("enabled", view.enabled),
            ("problem", view.problem),
            ("id", view.id),
        )
    )
