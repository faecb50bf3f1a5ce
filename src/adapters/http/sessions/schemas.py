from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct

from adapters.http.me.schemas import PersonView
from adapters.http.page_numbers import numbers_of
from application.identity.sessions.change_password import ChangePasswordCommand
from application.identity.sessions.log_in import LogInCommand
from application.identity.sessions.opening import OpenedSession
from application.identity.sessions.refresh_session import RefreshSessionCommand
from application.identity.sessions.switch_team import SwitchTeamCommand
from application.shared.actor import Actor
from application.shared.pagination import Page
from domain.identity.password import MAX_BYTES
from domain.identity.session import ACCESS_TOKEN_LIFETIME, Session, SessionKind
from domain.shared.ids import SessionId, TeamId

Email = Annotated[str, Meta(max_length=320)]
Password = Annotated[str, Meta(max_length=MAX_BYTES)]
Token = Annotated[str, Meta(max_length=1024)]


class LoginBody(Struct, kw_only=True, forbid_unknown_fields=True):
    email: Email
    password: Password
    remember_me: bool = False
    team_id: UUID | None = None

    def to_command(self, kind: SessionKind) -> LogInCommand:
        return LogInCommand(
            email=self.email,
            password=self.password,
            kind=kind,
            remember_me=self.remember_me,
            team_id=None if self.team_id is None else TeamId(self.team_id),
        )


class RefreshBody(Struct, kw_only=True, forbid_unknown_fields=True):
    refresh_token: Token

    def to_command(self) -> RefreshSessionCommand:
        return RefreshSessionCommand(refresh_token=self.refresh_token)


class SwitchTeamBody(Struct, kw_only=True, forbid_unknown_fields=True):
    team_id: UUID

    def to_command(self, actor: Actor) -> SwitchTeamCommand:
        return SwitchTeamCommand(actor=actor, team_id=TeamId(self.team_id))


class ChangePasswordBody(Struct, kw_only=True, forbid_unknown_fields=True):
    current_password: Password
    new_password: Password

    def to_command(self, actor: Actor) -> ChangePasswordCommand:
        return ChangePasswordCommand(
            actor=actor, current_password=self.current_password, new_password=self.new_password
        )


class SessionView(Struct, kw_only=True):
    id: UUID
    kind: SessionKind
    team_id: UUID
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime
    address: str | None
    user_agent: str | None
    is_current: bool

    @classmethod
    def of(cls, session: Session, current: SessionId | None) -> Self:
        return cls(
            id=session.id,
            kind=session.kind,
            team_id=session.team_id,
            created_at=session.created_at,
            expires_at=session.expires_at,
            last_seen_at=session.last_seen_at,
            address=session.address,
            user_agent=session.user_agent,
            is_current=session.id == current,
        )


class SessionPage(Struct, kw_only=True):
    items: list[SessionView]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[Session], current: SessionId | None) -> Self:
        return cls(
            items=[SessionView.of(session, current) for session in page.items],
            **numbers_of(page),
        )


class LoginView(Struct, kw_only=True):
    user: PersonView
    session: SessionView

    @classmethod
    def of(cls, opened: OpenedSession) -> Self:
        return cls(
            user=PersonView.of(opened.user),
            session=SessionView.of(opened.session, opened.session.id),
        )


class TokensView(Struct, kw_only=True):
    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    user: PersonView
    session: SessionView

    @classmethod
    def of(cls, opened: OpenedSession) -> Self:
        return cls(
            access_token=opened.access_token or "",
            token_type="bearer",  # noqa: S106 - a kind, not a secret
            expires_in=int(ACCESS_TOKEN_LIFETIME.total_seconds()),
            refresh_token=opened.refresh_token or "",
            user=PersonView.of(opened.user),
            session=SessionView.of(opened.session, opened.session.id),
        )
