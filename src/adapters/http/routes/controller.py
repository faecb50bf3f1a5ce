from dishka import FromDishka
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from adapters.http.parameters import IdParameter, PageParameter, PageSizeParameter, parse_id
from adapters.http.routes.schemas import CreateRouteBody, RoutePage, RouteView, UpdateRouteBody
from application.models.registry.ports import RegistrySort
from application.models.registry.routes.create_route import CreateRoute, CreateRouteCommand
from application.models.registry.routes.delete_route import DeleteRoute, DeleteRouteCommand
from application.models.registry.routes.get_route import GetRoute, GetRouteQuery
from application.models.registry.routes.list_routes import ListRoutes, ListRoutesQuery
from application.models.registry.routes.update_route import UpdateRoute, UpdateRouteCommand
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.models.registry.errors import RouteNotFoundError
from domain.shared.ids import RouteId


class RoutesController(Controller):
    path = "/routes"
    tags = ("models",)

    @post(operation_id="create_route", summary="Set up a route")
    async def create_route(
        self,
        data: JSONBody[CreateRouteBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[CreateRoute],
    ) -> RouteView:
        """Puts a route over several models under a `name` of the team's own. What it names has to
        be there, and must not lead back to it."""
        command = CreateRouteCommand(actor=actor, route=data.to_route())
        return RouteView.of(await use_case(command))

    @get(operation_id="list_routes", summary="List the routes")
    async def list_routes(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListRoutes],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
        sort: FromQuery[RegistrySort] = RegistrySort.NAME,
    ) -> RoutePage:
        """Lists the routes of the team's registry."""
        query = ListRoutesQuery(
            actor=actor, page=PageRequest(page=page, page_size=page_size), sort=sort
        )
        return RoutePage.of(await use_case(query))

    @get("/{route_id:str}", operation_id="get_route", summary="Show a route")
    async def get_route(
        self, route_id: IdParameter, actor: NamedDependency[Actor], use_case: FromDishka[GetRoute]
    ) -> RouteView:
        """Shows a route of the team's registry."""
        query = GetRouteQuery(actor=actor, which=_route_id(route_id))
        return RouteView.of(await use_case(query))

    @patch("/{route_id:str}", operation_id="update_route", summary="Change a route")
    async def update_route(
        self,
        route_id: IdParameter,
        data: JSONBody[UpdateRouteBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateRoute],
    ) -> RouteView:
        """Changes what is given; every node obeys within a second."""
        command = UpdateRouteCommand(
            actor=actor, which=_route_id(route_id), change=data.to_change()
        )
        return RouteView.of(await use_case(command))

    @delete("/{route_id:str}", operation_id="delete_route", summary="Remove a route")
    async def delete_route(
        self,
        route_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[DeleteRoute],
    ) -> None:
        """Removes a route that no other one falls back to. Its calls stay in the ledger."""
        await use_case(DeleteRouteCommand(actor=actor, which=_route_id(route_id)))


def _route_id(text: str) -> RouteId:
    return RouteId(parse_id(text, RouteNotFoundError))
