from litestar.handlers import BaseRouteHandler

from adapters.http.connection import AnyRequest
from adapters.http.guards import Connection, authenticated
from application.shared.actor import Actor
from domain.shared.errors import UnauthenticatedError


async def recognised(connection: Connection, handler: BaseRouteHandler) -> None:
    """A guard for where credentials may be and need not: who has none, or some that are worth
    nothing any more, is nobody."""
    try:
        await authenticated(connection, handler)
    except UnauthenticatedError:
        connection.scope["state"]["actor"] = None


async def provide_visitor(request: AnyRequest) -> Actor | None:
    """Who is recognised, if anybody, now that the body is there."""
    await recognised(request, request.route_handler)
    visitor: Actor | None = request.scope["state"]["actor"]
    return visitor
