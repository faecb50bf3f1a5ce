from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import click

from adapters.http.prices.schemas import ModelPriceView, PricesView, SetPriceView
from application.models.list_models import ListModels
from application.models.pricing.list_prices import (
    ListPrices,
    ListPricesQuery,
    ListSetPrices,
    ListSetPricesQuery,
    PriceOfModel,
)
from application.models.pricing.look_up_price import LookUpPrice, LookUpPriceQuery
from application.models.pricing.ports import KnownPrices
from application.models.pricing.remove_price import RemovePrice, RemovePriceCommand
from application.models.pricing.set_price import SetPrice, SetPriceCommand
from domain.models.price_override import PriceOverride
from domain.models.prices import Prices, PriceTier
from domain.models.served_model import ModelKind
from domain.shared.ids import PriceId
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.moments import MOMENT, Moment, ahead
from entrypoints.cli.output import json_option, print_json, print_table, shown
from entrypoints.cli.paging import all_of
from entrypoints.cli.price_options import PRICE_NAMES, PriceType, TierType, whole_prices
from entrypoints.cli.session import Session, run_session

COLUMNS = ("model", "deployment", "source", "in $/M", "out $/M", "other prices", "since", "changes")
SET_COLUMNS = ("id", "of", "from", "in $/M", "out $/M", "other prices")


@click.group()
def prices_command() -> None:
    """See what models cost and why, and set it."""


@prices_command.command("list")
@click.option("--set", "only_set", is_flag=True, help="Only prices that were set, all of them.")
@click.option("--model", help="Only those that were set for this model.")
@team_option
@json_option
@click.pass_obj
def list_prices(
    invocation: Invocation, only_set: bool, model: str | None, team: str | None, as_json: bool
) -> None:
    """List what every model costs now, and where that comes from.

    "override" was set by the team, "configuration" stands in the file, "book" is what the provider
    publishes, "local" runs on the server itself. "unpriced" is not free: nobody has said. US
    dollars per million tokens.
    """
    if only_set or model is not None:
        _list_set(invocation, model, team, as_json=as_json)
        return

    async def work(session: Session) -> list[PriceOfModel]:
        use_case, actor = await session.get(ListPrices), await actor_in(session, team)
        return await all_of(lambda page: use_case(ListPricesQuery(actor=actor, page=page)))

    found = run_session(invocation, work)
    if as_json:
        print_json({"items": [ModelPriceView.of(one) for one in found]})
        return
    print_table(
        COLUMNS,
        (
            (
                one.model.name,
                one.model.deployment,
                one.in_force.source.value,
                *_cells(one.in_force.prices),
                one.in_force.since,
                one.in_force.changes_at,
            )
            for one in found
        ),
        right=("in $/M", "out $/M"),
        fold=("model", "deployment", "other prices"),
    )


@prices_command.command("set")
@click.argument("model")
@click.argument("prices", nargs=-1, required=True, type=PriceType())
@click.option("--tier", "tiers", multiple=True, type=TierType(), help="Of longer prompts.")
@click.option("--from", "since", type=MOMENT, help="From then on: 7d, or a date. Else at once.")
@team_option
@json_option
@click.pass_obj
def set_price(
    invocation: Invocation,
    /,
    model: str,
    *,
    prices: tuple[tuple[str, Decimal], ...],
    tiers: tuple[PriceTier, ...],
    since: Moment | None,
    team: str | None,
    as_json: bool,
) -> None:
    """Set what MODEL costs the team: `stoa prices set large input=2.5 output=10`.

    US dollars per million tokens (input, output, cached_input, cache_write, cache_write_1h,
    reasoning, audio_input, audio_output) or characters (character), or each (request, image,
    second). Without a price of its own, a token costs what "input" or "output" does; of a chat
    model both have to be said. Calls that were made keep their price.
    """

    async def work(session: Session) -> PriceOverride:
        actor = await actor_in(session, team)
        served = await (await session.get(ListModels))(actor)
        kind = next((one.kind for one in served if model in (one.name, *one.aliases)), None)
        command = SetPriceCommand(
            actor=actor,
            which=model,
            prices=whole_prices(dict(prices), tiers, kind),
            effective_from=ahead(since, session.clock.now()),
        )
        return await (await session.get(SetPrice))(command)

    price = run_session(invocation, work)
    if as_json:
        print_json(SetPriceView.of(price))
    else:
        click.echo(f"Set. {model} costs that from {shown(price.effective_from)} UTC on.")


@prices_command.command("remove")
@click.argument("price_id", type=click.UUID)
@team_option
@click.pass_obj
def remove_price(invocation: Invocation, price_id: UUID, team: str | None) -> None:
    """Remove a price that was set; what held before it holds again."""

    async def work(session: Session) -> None:
        command = RemovePriceCommand(
            actor=await actor_in(session, team), price_id=PriceId(price_id)
        )
        await (await session.get(RemovePrice))(command)

    run_session(invocation, work)
    click.echo("Removed.")


@prices_command.command("look-up")
@click.argument("provider_type")
@click.argument("upstream_name")
@click.option("--base-url", help="Where an openai-compatible provider is.")
@click.option(
    "--kind",
    type=click.Choice([*map(str, ModelKind)]),
    default=str(ModelKind.CHAT),
    show_default=True,
)
@json_option
@click.pass_obj
def look_up(
    invocation: Invocation,
    /,
    provider_type: str,
    upstream_name: str,
    *,
    base_url: str | None,
    kind: str,
    as_json: bool,
) -> None:
    """Look up what a provider publishes: `stoa prices look-up openai gpt-4o`."""

    async def work(session: Session) -> KnownPrices | None:
        query = LookUpPriceQuery(
            actor=session.actor,
            provider_type=provider_type,
            upstream_name=upstream_name,
            base_url=base_url,
            kind=ModelKind(kind),
        )
        return await (await session.get(LookUpPrice))(query)

    known = run_session(invocation, work)
    if known is None:
        raise click.ClickException("Nothing is published, or nothing that Stoa can bill by.")
    if as_json:
        print_json({**_members(known), "prices": [_dated(one) for one in known.schedule]})
        return
    click.echo(f"{known.entry}, reads {shown(known.context_window)} tokens")
    rows = ((one.since, *_cells(one.prices)) for one in known.schedule)
    print_table(("since", *COLUMNS[3:6]), rows, fold=("other prices",))
    if known.not_expressed:
        click.echo(f"Billed by the provider, and not counted here: {shown(known.not_expressed)}")


def _list_set(
    invocation: Invocation, model: str | None, team: str | None, *, as_json: bool
) -> None:
    async def work(session: Session) -> tuple[PriceOverride, ...]:
        query = ListSetPricesQuery(actor=await actor_in(session, team), which=model)
        return await (await session.get(ListSetPrices))(query)

    found = run_session(invocation, work)
    if as_json:
        print_json({"items": [SetPriceView.of(one) for one in found]})
        return
    print_table(
        SET_COLUMNS,
        (
            (
                one.id,
                one.model_id or f"{one.provider}/{one.upstream_name}",
                one.effective_from,
                *_cells(one.prices),
            )
            for one in found
        ),
        right=("in $/M", "out $/M"),
        fold=("of", "other prices"),
    )


def _cells(prices: Prices | None) -> tuple[object, ...]:
    if prices is None:
        return None, None, None
    others = [
        f"{name} {amount:f}"
        for name in PRICE_NAMES[2:]
        if (amount := getattr(prices, name)) is not None
    ]
    others += [
        f"above {tier.above}: {tier.prices.input:f} in, {tier.prices.output:f} out"
        for tier in prices.tiers
    ]
    return f"{prices.input:f}", f"{prices.output:f}", others


def _members(known: KnownPrices) -> dict[str, object]:
    return {
        "entry": known.entry,
        "context_window": known.context_window,
        "not_expressed": known.not_expressed,
    }


def _dated(dated: Any) -> dict[str, datetime | PricesView | None]:
    return {"since": dated.since, "prices": PricesView.of_all(dated.prices)}
