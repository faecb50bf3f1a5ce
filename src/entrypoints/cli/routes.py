import json
from collections.abc import Callable
from typing import Any

import click
import msgspec

from adapters.http.routes.schemas import CreateRouteBody, RouteView, UpdateRouteBody
from application.models.registry.ports import RegistrySort
from application.models.registry.routes.create_route import CreateRoute, CreateRouteCommand
from application.models.registry.routes.delete_route import DeleteRoute, DeleteRouteCommand
from application.models.registry.routes.get_route import GetRoute, GetRouteQuery
from application.models.registry.routes.list_routes import ListRoutes, ListRoutesQuery
from application.models.registry.routes.update_route import UpdateRoute, UpdateRouteCommand
from domain.models.registry.model import Visibility
from domain.models.route import Strategy
from domain.models.served_model import ModelKind
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import (
    Command,
    json_option,
    print_json,
    print_members,
    print_table,
)
from entrypoints.cli.paging import all_of
from entrypoints.cli.session import Session, run_session

# Parts that have members of their own are given as the API takes them.
_PARTS = ("retry", "timeouts", "split", "cache", "guardrails")
_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="MODEL[:WEIGHT[:PRIORITY]]",
        help="A model that calls may go to. May be repeated.",
    ),
    click.option("--kind", type=click.Choice([kind.value for kind in ModelKind])),
    click.option("--alias", "aliases", multiple=True, help="Another name. May be repeated."),
    click.option("--strategy", type=click.Choice([one.value for one in Strategy])),
    click.option(
        "--fallback",
        "fallbacks",
        multiple=True,
        help="A model or route that takes over when no target could answer. May be repeated.",
    ),
    click.option("--hedge-after-ms", type=int, help="When a second target is asked too."),
    *(
        click.option(f"--{part}", metavar="JSON", help=f"`{part}` as in the API; null for none.")
        for part in _PARTS
    ),
    click.option(
        "--visibility",
        type=click.Choice([one.value for one in Visibility]),
        help="Whether the other teams of the server may use it too.",
    ),
)


def route_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def members_of(given: dict[str, Any]) -> dict[str, Any]:
    """The members of a body of the API that the options say. Raises ``UsageError``."""
    found = {name: value for name, value in given.items() if value not in (None, ())}
    if "targets" in found:
        found["targets"] = [_target(text) for text in found["targets"]]
    for part in _PARTS:
        if part in found:
            found[part] = _json(part, found[part])
    return found


@click.group()
def routes_command() -> None:
    """Set up routes over several models in the registry of a team."""


@routes_command.command("list")
@team_option
@json_option
@click.pass_obj
def list_routes(invocation: Invocation, team: str | None, as_json: bool) -> None:
    """List the routes of the team."""

    async def work(session: Session) -> list[RouteView]:
        actor = await actor_in(session, team)
        use_case = await session.get(ListRoutes)
        found = await all_of(
            lambda page: use_case(ListRoutesQuery(actor=actor, page=page, sort=RegistrySort.NAME))
        )
        return list(map(RouteView.of, found))

    views = run_session(invocation, work)
    if as_json:
        print_json({"items": views})
        return
    print_table(
        ("route", "kind", "strategy", "targets", "fallbacks", "enabled"),
        (
            (
                view.name,
                view.kind.value,
                view.strategy.value,
                tuple(target.model for target in view.targets),
                view.fallbacks,
                view.enabled,
            )
            for view in views
        ),
        fold=("route", "targets", "fallbacks"),
    )


@routes_command.command("add")
@click.argument("name")
@route_options
@team_option
@json_option
@click.pass_obj
def add_route(
    invocation: Invocation, /, name: str, *, team: str | None, as_json: bool, **given: Any
) -> None:
    """Put a route called NAME over the models that are its targets."""
    body = _converted({"targets": [], **members_of(given), "name": name}, CreateRouteBody)

    async def work(session: Session) -> RouteView:
        use_case = await session.get(CreateRoute)
        actor = await actor_in(session, team)
        command = CreateRouteCommand(actor=actor, route=body.to_route())
        return RouteView.of(await use_case(command))

    _print(run_session(invocation, work), as_json=as_json)


@routes_command.command("set")
@click.argument("route", metavar="NAME_OR_ID")
@click.option("--name", help="Rename it.")
@click.option("--enable/--disable", "enabled", default=None, help="Take calls, or refuse them.")
@route_options
@team_option
@json_option
@click.pass_obj
def set_route(
    invocation: Invocation, /, route: str, *, team: str | None, as_json: bool, **given: Any
) -> None:
    """Change a route; what is not given stays, and what is given replaces all that was."""
    body = _converted(members_of(given), UpdateRouteBody)

    async def work(session: Session) -> RouteView:
        use_case = await session.get(UpdateRoute)
        actor = await actor_in(session, team)
        command = UpdateRouteCommand(actor=actor, which=route, change=body.to_change())
        return RouteView.of(await use_case(command))

    _print(run_session(invocation, work), as_json=as_json)


@routes_command.command("show")
@click.argument("route", metavar="NAME_OR_ID")
@team_option
@json_option
@click.pass_obj
def show_route(invocation: Invocation, route: str, team: str | None, as_json: bool) -> None:
    """Show a route."""

    async def work(session: Session) -> RouteView:
        use_case = await session.get(GetRoute)
        actor = await actor_in(session, team)
        return RouteView.of(await use_case(GetRouteQuery(actor=actor, which=route)))

    _print(run_session(invocation, work), as_json=as_json)


@routes_command.command("remove")
@click.argument("route", metavar="NAME_OR_ID")
@team_option
@click.pass_obj
def remove_route(invocation: Invocation, route: str, team: str | None) -> None:
    """Remove a route that no other one falls back to."""

    async def work(session: Session) -> None:
        use_case = await session.get(DeleteRoute)
        actor = await actor_in(session, team)
        await use_case(DeleteRouteCommand(actor=actor, which=route))

    run_session(invocation, work)
    click.echo(f"Removed: {route}.")


def _target(text: str) -> dict[str, object]:
    """Names may have colons too, so only numbers at the end count."""
    parts = text.rsplit(":", 2)
    numbers: list[int] = []
    while len(parts) > 1 and parts[-1].isdecimal():
        numbers.insert(0, int(parts.pop()))
    members = dict(zip(("weight", "priority"), numbers, strict=False))
    return {"model": ":".join(parts), **members}


def _json(part: str, text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        raise click.UsageError(f"--{part} must be JSON.") from None
    return value


def _converted(members: dict[str, Any], as_type: type[Any]) -> Any:
    try:
        return msgspec.convert(members, as_type)
    except msgspec.ValidationError as error:
        raise click.UsageError(f"{error}.") from None


def _print(view: RouteView, *, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    members = msgspec.to_builtins(view)
    print_members((name.replace("_", " "), _shown(value)) for name, value in members.items())


def _shown(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list | tuple) and value else value
