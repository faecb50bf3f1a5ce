from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from application.models.registry.ports import RegistryUnitOfWork, SchemaCheck
from application.models.registry.references import References
from application.models.registry.served_to_all import must_not_change_for_all
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator
from domain.identity.permissions import Permission
from domain.models.registry.errors import wrong_fields
from domain.models.registry.registered_route import RegisteredRoute
from domain.models.registry.route_rules import route_problems
from domain.models.route import Route
from domain.shared.ids import RouteId


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEntries:
    """Enters routes into the registry, changes them and takes them out, each with a row in the
    audit log. What they name is checked where the change is whole: ``references``."""

    references: References
    schemas: SchemaCheck
    auditor: Auditor
    clock: Clock
    ids: IdGenerator

    async def add(self, tx: RegistryUnitOfWork, actor: Actor, route: Route) -> RegisteredRoute:
        now = self.clock.now()
        registered = RegisteredRoute(
            id=RouteId(self.ids.new()),
            team_id=actor.team_id,
            route=replace(route, owner=actor.team_id),
            created_at=now,
            updated_at=now,
        )
        await _permit(tx, actor, route)
        self._check(route)
        await tx.routes.add(registered)
        await self.auditor.record(
            tx, actor, "route.created", _target(registered), after=recorded(route)
        )
        return registered

    async def change(
        self, tx: RegistryUnitOfWork, actor: Actor, old: RegisteredRoute, route: Route
    ) -> RegisteredRoute:
        """Answers ``old`` where nothing is different."""
        route = replace(route, owner=old.team_id)
        if route == old.route:
            return old
        await _permit(tx, actor, old.route)
        await _permit(tx, actor, route)
        self._check(route)
        new = replace(old, route=route, updated_at=self.clock.now())
        await tx.routes.save(new)
        await self.auditor.record(
            tx,
            actor,
            "route.updated",
            _target(new),
            before=recorded(old.route),
            after=recorded(route),
        )
        return new

    async def remove(self, tx: RegistryUnitOfWork, actor: Actor, route: RegisteredRoute) -> None:
        await _permit(tx, actor, route.route)
        await tx.routes.remove(route)
        await self.auditor.record(
            tx, actor, "route.deleted", _target(route), before=recorded(route.route)
        )

    def _check(self, route: Route) -> None:
        problems = route_problems(route)
        schema = None if route.guardrails is None else route.guardrails.output_schema
        wrong = None if schema is None or problems else self.schemas.problem(schema)
        if wrong is not None:
            problems.append(("guardrails.output_schema", wrong))
        if problems:
            raise wrong_fields(problems)


def recorded(route: Route) -> Mapping[str, object]:
    members = asdict(route)
    del members["owner"]
    return members


async def _permit(tx: RegistryUnitOfWork, actor: Actor, route: Route) -> None:
    if route.is_public:
        actor.require(Permission.MANAGE_SERVER)
    await must_not_change_for_all(tx, actor, *route.names)


def _target(route: RegisteredRoute) -> Target:
    return Target("route", route.id)
