from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter

from adapters.http.connection import AnyRequest
from adapters.http.parameters import invalid
from adapters.http.presented import SAFE_METHODS, presented, refuse_other_sites
from application.identity.authenticate import Authenticate
from application.operations.readiness import Readiness
from application.shared.actor import Actor
from domain.shared.errors import FieldError, InvalidError, UnavailableError

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None] | None]


def only_when_ready(readiness: Readiness) -> Guard:
    """A guard that turns everybody away while the process starts or stops."""

    def guard(_connection: Connection, _handler: BaseRouteHandler) -> None:
        if not readiness.ready:
            raise UnavailableError(f"Stoa is not ready: {readiness.reason}.", retry_after=1)

    return guard


async def authenticated(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard that finds out who asks, before the body is read; ``provide_actor`` hands the answer
    to the handler."""
    state = connection.scope["state"]
    authenticate = await state["dishka_container"].get(Authenticate)
    shown = presented(connection.scope)
    state["actor"] = await authenticate(shown.bearer, cookie=shown.cookie)


def of_this_server(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard for what needs no credentials, against other sites that log a browser into an account
    of theirs, or send people mail."""
    refuse_other_sites(connection.scope)


async def provide_actor(request: AnyRequest) -> Actor:
    """Asks again where there may be a body: its sender may have waited until what he showed was
    worth nothing any more."""
    if request.method not in SAFE_METHODS:
        await authenticated(request, request.route_handler)
    actor: Actor = request.scope["state"]["actor"]
    return actor


def known_query(connection: Connection, handler: BaseRouteHandler) -> None:
    """A guard against misspelt and repeated query parameters, which would otherwise be ignored in
    silence, and against NUL, which no text in the database has."""
    if not connection.scope["query_string"]:
        return
    known = {
        parameter.kwarg_definition.name or name
        for name, parameter in handler.parsed_fn_signature.parameters.items()
        if isinstance(parameter.kwarg_definition, QueryParameter)
    }
    given: set[str] = set()
    for name, value in connection.query_params.multi_items():
        if "\0" in value:
            raise invalid(name, "must not contain NUL")
        if name in given and name in known:
            raise invalid(name, "must be given once")
        given.add(name)
    unknown = sorted(set(connection.query_params) - known)
    if unknown:
        names = ", ".join(f"'{name}'" for name in unknown)
        raise InvalidError(
            f"Unknown query parameters: {names}.",
            param=unknown[0],
            errors=tuple(FieldError(name, "is not known", "unknown") for name in unknown),
        )
