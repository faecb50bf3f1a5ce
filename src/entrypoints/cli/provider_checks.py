"""The commands of `stoa providers` that ask a provider something."""

import click

from adapters.http.providers.schemas import ConnectionView, OfferView
from application.models.registry.providers.list_offers import ListOffers, ListOffersQuery
from application.models.registry.providers.try_connection import (
    TryConnection,
    TryConnectionCommand,
)
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.failure import FAILED_CHECKS
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_table
from entrypoints.cli.session import Session, run_session


@click.command("test")
@click.argument("provider", metavar="NAME_OR_ID")
@team_option
@json_option
@click.pass_obj
@click.pass_context
def try_provider(
    context: click.Context,
    /,
    invocation: Invocation,
    provider: str,
    team: str | None,
    as_json: bool,
) -> None:
    """Find out whether a provider can be reached and lets Stoa in."""

    async def work(session: Session) -> ConnectionView:
        use_case = await session.get(TryConnection)
        actor = await actor_in(session, team)
        return ConnectionView.of(await use_case(TryConnectionCommand(actor=actor, which=provider)))

    found = run_session(invocation, work)
    if as_json:
        print_json(found)
    elif found.problem is not None:
        click.echo(f"{found.problem.code}: {found.problem.message}")
    else:
        click.echo(f"Reached in {found.latency_ms:.0f} ms; it offers {found.models} models.")
    if not found.reachable:
        context.exit(FAILED_CHECKS)


@click.command("offers")
@click.argument("provider", metavar="NAME_OR_ID")
@team_option
@json_option
@click.pass_obj
def list_offers(invocation: Invocation, provider: str, team: str | None, as_json: bool) -> None:
    """List the models that a provider has, by the names that it gives them."""

    async def work(session: Session) -> list[OfferView]:
        use_case = await session.get(ListOffers)
        actor = await actor_in(session, team)
        found = await use_case(ListOffersQuery(actor=actor, which=provider))
        return list(map(OfferView.of, found))

    offers = run_session(invocation, work)
    if as_json:
        print_json({"items": offers})
        return
    print_table(
        ("upstream name", "kind", "context"),
        ((one.name, one.kind and one.kind.value, one.context_length) for one in offers),
        right=("context",),
        fold=("upstream name",),
    )
