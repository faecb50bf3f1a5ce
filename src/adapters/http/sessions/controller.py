from typing import Annotated

from dishka import FromDishka
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from adapters.http.parameters import IdParameter, PageParameter, PageSizeParameter, parse_id
from adapters.http.sessions.cookie import SessionCookies
from adapters.http.sessions.schemas import (
    ChangePasswordBody,
    SessionPage,
    SessionView,
    SwitchTeamBody,
)
from application.identity.sessions.change_password import ChangePassword
from application.identity.sessions.list_sessions import ListSessions, ListSessionsQuery
from application.identity.sessions.revoke_all_sessions import (
    RevokeAllSessions,
    RevokeAllSessionsCommand,
)
from application.identity.sessions.revoke_session import RevokeSession, RevokeSessionCommand
from application.identity.sessions.switch_team import SwitchTeam
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.identity.errors import SessionNotFoundError
from domain.shared.ids import SessionId

KeepCurrent = Annotated[
    bool, QueryParameter(description="Leave the session that asks alone.", required=False)
]


class SessionsController(Controller):
    path = "/auth"
    tags = ("identity",)

    @post("/logout", operation_id="log_out", summary="Log out", status_code=HTTP_204_NO_CONTENT)
    async def log_out(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[RevokeSession],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[None]:
        """Ends the session that asks: every node refuses its cookie or its tokens at once."""
        await use_case(RevokeSessionCommand(actor=actor))
        return _ended(session_cookies, is_own=True)

    @get("/sessions", operation_id="list_sessions", summary="List my sessions")
    async def list_sessions(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListSessions],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
    ) -> SessionPage:
        """Lists the caller's sessions that have not ended, newest first."""
        query = ListSessionsQuery(actor=actor, page=PageRequest(page=page, page_size=page_size))
        return SessionPage.of(await use_case(query), actor.session_id)

    @delete("/sessions/{session_id:str}", operation_id="revoke_session", summary="End a session")
    async def revoke_session(
        self,
        session_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[RevokeSession],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[None]:
        """Ends one of the caller's sessions: every node refuses it at once."""
        found = SessionId(parse_id(session_id, SessionNotFoundError))
        await use_case(RevokeSessionCommand(actor=actor, session_id=found))
        return _ended(session_cookies, is_own=found == actor.session_id)

    @delete("/sessions", operation_id="revoke_all_sessions", summary="End all my sessions")
    async def revoke_all_sessions(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[RevokeAllSessions],
        session_cookies: NamedDependency[SessionCookies],
        keep_current: KeepCurrent = False,
    ) -> Response[None]:
        """Ends all of the caller's sessions at once, the one that asks included unless it is to be
        kept."""
        await use_case(RevokeAllSessionsCommand(actor=actor, keep_current=keep_current))
        return _ended(session_cookies, is_own=not keep_current)

    @post("/team", operation_id="switch_team", summary="Switch teams", status_code=HTTP_200_OK)
    async def switch_team(
        self,
        data: JSONBody[SwitchTeamBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[SwitchTeam],
    ) -> SessionView:
        """Makes the session act in another of the caller's teams, with the role there."""
        return SessionView.of(await use_case(data.to_command(actor)), actor.session_id)

    @post(
        "/password",
        operation_id="change_password",
        summary="Change my password",
        status_code=HTTP_204_NO_CONTENT,
    )
    async def change_password(
        self,
        data: JSONBody[ChangePasswordBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[ChangePassword],
    ) -> None:
        """Gives the caller another password, for whoever knows the present one. It needs 10
        characters and must not be among the most common ones. All other sessions end at once."""
        await use_case(data.to_command(actor))


def _ended(cookies: SessionCookies, *, is_own: bool) -> Response[None]:
    """The browser forgets a session of its own that is over."""
    gone = [cookies.gone()] if is_own else []
    return Response(None, status_code=HTTP_204_NO_CONTENT, cookies=gone)
