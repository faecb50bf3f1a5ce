from dataclasses import dataclass

from application.identity.passwords import Passwords
from application.identity.session_ports import Attempts
from application.shared.actor import Actor
from application.shared.correlation import origin
from domain.identity.attempts import login_subjects
from domain.identity.errors import LoginFailedError
from domain.identity.joining.attempts import token_subjects
from domain.identity.joining.errors import InvitationForAnotherError
from domain.identity.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveIdentity:
    """Whether it is the invited who accepts: by the password, or else by a session."""

    passwords: Passwords
    attempts: Attempts

    async def count(self) -> None:
        """Before anything is looked at. Raises ``TooManyAttemptsError``."""
        await self.attempts.count(token_subjects(origin.get().address))

    async def __call__(self, user: User, *, password: str | None, actor: Actor | None) -> None:
        """Raises ``InvitationForAnotherError`` or ``LoginFailedError``."""
        if password is None:
            self._check_session(user, actor)
            return
        await self.attempts.count(login_subjects(user.email or "", origin.get().address))
        if not await self.passwords.is_right(user, password) or not user.is_active:
            raise LoginFailedError

    def _check_session(self, user: User, actor: Actor | None) -> None:
        has_session = actor is not None and actor.session_id is not None
        if actor is None or not has_session or actor.user_id != user.id:
            raise InvitationForAnotherError
