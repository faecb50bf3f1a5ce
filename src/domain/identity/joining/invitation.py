from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from domain.identity.api_key import hash_secret
from domain.identity.email import normalise_email
from domain.identity.joining.errors import (
    InvitationClosedError,
    InvitationInvalidError,
    RoleExceededError,
)
from domain.identity.permissions import Permission, Role, permissions_of
from domain.shared.ids import InvitationId, TeamId, UserId

INVITATION_LIVES = timedelta(days=7)


class InvitationStatus(StrEnum):
    PENDING = "pending"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


@dataclass(slots=True, kw_only=True)
class Invitation:
    """Whoever has its secret may join the team under the e-mail address.

    ``invited_by`` is ``None`` where the person registered, which is inviting oneself, and where a
    key invited that is nobody's.
    """

    id: InvitationId
    team_id: TeamId
    email: str
    role: Role
    secret_hash: bytes = field(repr=False)
    invited_by: UserId | None
    created_at: datetime
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    accepted_by: UserId | None = None
    revoked_at: datetime | None = None

    @classmethod
    def issue(
        cls,
        *,
        id: InvitationId,  # noqa: A002 - the field's name
        team_id: TeamId,
        email: str,
        role: Role,
        secret: str,
        invited_by: UserId | None,
        at: datetime,
    ) -> Self:
        """A new invitation; raises ``InvalidError`` for what is no address."""
        return cls(
            id=id,
            team_id=team_id,
            email=normalise_email(email),
            role=role,
            secret_hash=hash_secret(secret),
            invited_by=invited_by,
            created_at=at,
            sent_at=at,
            expires_at=at + INVITATION_LIVES,
        )

    @property
    def is_open(self) -> bool:
        """Neither accepted nor revoked; it may have expired."""
        return self.accepted_at is None and self.revoked_at is None

    def status(self, at: datetime) -> InvitationStatus:
        if self.accepted_at is not None:
            return InvitationStatus.ACCEPTED
        if self.revoked_at is not None:
            return InvitationStatus.REVOKED
        return InvitationStatus.PENDING if at < self.expires_at else InvitationStatus.EXPIRED

    def renew(self, *, secret: str, by: UserId | None, at: datetime) -> None:
        """Put another secret in the place of the present one, and begin to count anew. From now on
        it is the invitation of whoever does so."""
        if not self.is_open:
            raise InvitationClosedError
        self.secret_hash = hash_secret(secret)
        self.invited_by = by
        self.sent_at = at
        self.expires_at = at + INVITATION_LIVES

    def accept(self, user_id: UserId, *, at: datetime) -> None:
        """Raises ``InvitationInvalidError`` unless it is pending."""
        self.must_be_pending(at)
        self.accepted_at = at
        self.accepted_by = user_id

    def revoke(self, at: datetime) -> None:
        """Close it for good; doing so again changes nothing. Raises ``InvitationClosedError``
        when it has been accepted."""
        if self.accepted_at is not None:
            raise InvitationClosedError
        if self.revoked_at is None:
            self.revoked_at = at

    def must_be_pending(self, at: datetime) -> None:
        if self.status(at) is not InvitationStatus.PENDING:
            raise InvitationInvalidError


def check_grant(role: Role, by: frozenset[Permission]) -> None:
    """Raise ``RoleExceededError`` when the role may do what its giver may not."""
    if not permissions_of(role) <= by:
        raise RoleExceededError(role)
