from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.joining.postbox import Postbox
from application.identity.session_ports import Attempts
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.joining.attempts import mailbox_subjects
from domain.identity.joining.password_reset import PasswordReset
from domain.identity.user import User
from domain.shared.ids import PasswordResetId


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPasswordReset:
    """Sends a link for a new password to the address, if there is somebody who can have one."""

    uow: JoiningUnitOfWork
    postbox: Postbox
    attempts: Attempts
    clock: Clock
    ids: IdGenerator
    secrets: SecretGenerator

    async def __call__(self, email: str) -> None:
        await self.attempts.count(mailbox_subjects(email))
        secret = self.secrets.token()
        async with self.uow as tx:
            user = await tx.users.find_by_email(email)
            if user is None or not _may_have_password(user):
                return
            reset = PasswordReset.issue(
                id=PasswordResetId(self.ids.new()),
                user_id=user.id,
                secret=secret,
                at=self.clock.now(),
            )
            await tx.password_resets.add(reset)
            await tx.commit()
        await self.postbox.send_reset(email, secret=secret)


def _may_have_password(user: User) -> bool:
    """Whom only an identity provider vouches for logs in there."""
    return user.is_active and (user.password_hash is not None or user.external_subject is None)
