from dishka import FromDishka
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK

from adapters.http.guards import of_this_server
from adapters.http.sessions.cookie import SessionCookies
from adapters.http.sessions.schemas import LoginBody, LoginView, RefreshBody, TokensView
from application.identity.sessions.log_in import LogIn
from application.identity.sessions.refresh_session import RefreshSession
from application.shared.ports import Clock
from domain.identity.session import SessionKind

_NOT_KEPT = {"cache-control": "no-store"}


class LoginController(Controller):
    path = "/auth"
    tags = ("identity",)
    guards = (of_this_server,)

    @post("/login", operation_id="log_in", summary="Log in", status_code=HTTP_200_OK)
    async def log_in(
        self,
        data: JSONBody[LoginBody],
        use_case: FromDishka[LogIn],
        clock: FromDishka[Clock],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[LoginView]:
        """Opens a session for a browser: the answer sets the cookie `stoa_session`, for 24 hours or
        with `remember_me` for 7 days. The session acts in `team_id`, else in the oldest team of the
        user. Requests with the cookie that change something have to come from a page of this
        server: browsers say so in `Sec-Fetch-Site` and `Origin`."""
        opened = await use_case(data.to_command(SessionKind.COOKIE))
        cookie = session_cookies.of(opened.session, opened.cookie or "", clock.now())
        return Response(LoginView.of(opened), cookies=[cookie], headers=_NOT_KEPT)

    @post(
        "/token",
        operation_id="create_tokens",
        summary="Log in a program",
        status_code=HTTP_200_OK,
    )
    async def create_tokens(
        self, data: JSONBody[LoginBody], use_case: FromDishka[LogIn]
    ) -> Response[TokensView]:
        """Opens a session for a program that is no browser. The access token is sent like an API
        key and is good for 15 minutes; the refresh token gets the next one."""
        opened = await use_case(data.to_command(SessionKind.TOKEN))
        return Response(TokensView.of(opened), headers=_NOT_KEPT)

    @post(
        "/refresh",
        operation_id="refresh_tokens",
        summary="Get the next access token",
        status_code=HTTP_200_OK,
    )
    async def refresh_tokens(
        self, data: JSONBody[RefreshBody], use_case: FromDishka[RefreshSession]
    ) -> Response[TokensView]:
        """Gives a new access token and a new refresh token. Each refresh token works once; using
        one again ends the session, because somebody has a copy of it."""
        return Response(TokensView.of(await use_case(data.to_command())), headers=_NOT_KEPT)
