from datetime import datetime
from typing import Any, Self
from uuid import UUID

from msgspec import Struct

from adapters.http.page_numbers import numbers_of
from application.identity.joining.accept_invitation import AcceptInvitationCommand, Joined
from application.identity.joining.inspect_invitation import (
    InspectedInvitation,
    InspectInvitationQuery,
)
from application.identity.joining.invite_member import InviteMemberCommand
from application.identity.joining.send_invitation import SentInvitation
from application.shared.actor import Actor
from application.shared.pagination import Page
from domain.identity.joining.invitation import Invitation, InvitationStatus
from domain.identity.permissions import Role


class InviteMemberBody(Struct, kw_only=True, forbid_unknown_fields=True):
    email: str
    role: Role = Role.MEMBER

    def to_command(self, actor: Actor) -> InviteMemberCommand:
        return InviteMemberCommand(actor=actor, email=self.email, role=self.role)


class InvitationView(Struct, kw_only=True):
    id: UUID
    email: str
    role: Role
    status: InvitationStatus
    invited_by: UUID | None
    created_at: datetime
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: UUID | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, invitation: Invitation, at: datetime) -> Self:
        return cls(**_members(invitation, at))


class SentInvitationView(InvitationView, kw_only=True):
    """``link`` is there only where the server sends no mail."""

    link: str | None

    @classmethod
    def of_sent(cls, sent: SentInvitation, at: datetime) -> Self:
        return cls(link=sent.link, **_members(sent.invitation, at))


class InvitationPage(Struct, kw_only=True):
    items: tuple[InvitationView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[Invitation], at: datetime) -> Self:
        return cls(
            items=tuple(InvitationView.of(invitation, at) for invitation in page.items),
            **numbers_of(page),
        )


class TokenBody(Struct, kw_only=True, forbid_unknown_fields=True):
    token: str

    def to_query(self) -> InspectInvitationQuery:
        return InspectInvitationQuery(token=self.token)


class InspectedInvitationView(Struct, kw_only=True):
    team_name: str
    email: str
    role: Role
    expires_at: datetime
    has_account: bool

    @classmethod
    def of(cls, inspected: InspectedInvitation) -> Self:
        return cls(
            team_name=inspected.team_name,
            email=inspected.email,
            role=inspected.role,
            expires_at=inspected.expires_at,
            has_account=inspected.has_account,
        )


class AcceptInvitationBody(Struct, kw_only=True, forbid_unknown_fields=True):
    token: str
    password: str | None = None
    display_name: str | None = None

    def to_command(self, actor: Actor | None) -> AcceptInvitationCommand:
        return AcceptInvitationCommand(
            token=self.token,
            password=self.password,
            display_name=self.display_name,
            actor=actor,
        )


class JoinedView(Struct, kw_only=True):
    user_id: UUID
    email: str
    display_name: str
    team_id: UUID
    role: Role

    @classmethod
    def of(cls, joined: Joined) -> Self:
        return cls(
            user_id=joined.user.id,
            email=joined.user.email or "",
            display_name=joined.user.display_name,
            team_id=joined.membership.team_id,
            role=joined.membership.role,
        )


def _members(invitation: Invitation, at: datetime) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "status": invitation.status(at),
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "sent_at": invitation.sent_at,
        "expires_at": invitation.expires_at,
        "accepted_at": invitation.accepted_at,
        "accepted_by": invitation.accepted_by,
        "revoked_at": invitation.revoked_at,
    }
