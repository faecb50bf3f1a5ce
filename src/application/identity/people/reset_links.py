from dataclasses import dataclass
from datetime import datetime

from application.identity.joining.links import Links
from application.identity.joining.ports import JoiningUnitOfWork
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.joining.password_reset import PasswordReset
from domain.identity.user import User
from domain.shared.ids import PasswordResetId


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeReset:
    """What opens an account to whoever sets its password first; nobody can learn it again."""

    token: str
    link: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetLinks:
    """Makes links by which somebody sets a password without knowing the present one."""

    clock: Clock
    ids: IdGenerator
    secrets: SecretGenerator
    links: Links

    async def issue(self, tx: JoiningUnitOfWork, user: User) -> OneTimeReset:
        token = self.secrets.token()
        reset = PasswordReset.issue(
            id=PasswordResetId(self.ids.new()),
            user_id=user.id,
            secret=token,
            at=self.clock.now(),
        )
        await tx.password_resets.add(reset)
        return OneTimeReset(
            token=token, link=self.links.password_reset(token), expires_at=reset.expires_at
        )
