from collections.abc import Callable

from dishka import AsyncContainer
from dishka import Scope as ContainerScope
from litestar.types import ASGIApp, Receive, Scope, Send


class RequestContainer:
    """Opens the container's request scope around the handlers of one router.

    Around that router alone, not around the whole application: the data plane's handlers hold their
    use cases already, and would pay for a scope that they never use.
    """

    def __init__(self, app: ASGIApp, container: AsyncContainer) -> None:
        self._app = app
        self._container = container

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._container(scope=ContainerScope.REQUEST) as container:
            scope["state"]["dishka_container"] = container
            await self._app(scope, receive, send)


def in_request_container(container: AsyncContainer) -> Callable[[ASGIApp], ASGIApp]:
    """The middleware for a router. A function, because Litestar copies routers deeply, and must not
    copy the container with them."""

    def middleware(app: ASGIApp) -> ASGIApp:
        return RequestContainer(app, container)

    return middleware
