from dataclasses import dataclass

from application.identity.passwords import Passwords
from application.identity.ports import IdentityUnitOfWork
from application.identity.session_ports import Attempts
from application.identity.sessions.login_failures import LoginFailures
from application.identity.sessions.opening import OpenedSession, SessionOpening
from application.shared.correlation import origin
from domain.identity.attempts import login_subjects
from domain.identity.email import normalise_email
from domain.identity.errors import LoginFailedError, NoTeamError, TeamNotFoundError
from domain.identity.membership import Membership
from domain.identity.session import SessionKind
from domain.identity.user import User
from domain.shared.errors import InvalidError
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInCommand:
    """Without ``team_id`` the session begins in the user's oldest team."""

    email: str
    password: str
    kind: SessionKind
    remember_me: bool = False
    team_id: TeamId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    """Opens a session for whoever knows the password of an account.

    The answer does not tell whether there is such an account, neither by its words nor by its time.
    Attempts are limited, for each account and for each address.
    """

    uow: IdentityUnitOfWork
    passwords: Passwords
    attempts: Attempts
    failures: LoginFailures
    opening: SessionOpening

    async def __call__(self, command: LogInCommand) -> OpenedSession:
        email = _normalised(command.email)
        subjects = login_subjects(email, origin.get().address)
        await self.attempts.count(subjects)
        user = await self._user_of(email, command.password)
        fresh_hash = await self.passwords.refreshed(user, command.password)
        async with self.uow as tx:
            locked = await tx.users.get(user.id)
            # Somebody may have changed it meanwhile.
            if not locked.is_active or locked.password_hash != user.password_hash:
                raise LoginFailedError
            if fresh_hash is not None:
                locked.password_hash = fresh_hash
            membership = _chosen(await tx.memberships.of_user(user.id), command.team_id)
            opened = await self.opening.open(
                tx, locked, membership, command.kind, remember_me=command.remember_me
            )
            await tx.commit()
        await self.attempts.forgive(subjects)
        return opened

    async def _user_of(self, email: str, password: str) -> User:
        async with self.uow as tx:
            user = await tx.users.find_by_email(email)
        is_right = await self.passwords.is_right(user, password)
        if user is None:
            raise LoginFailedError
        if not is_right or not user.is_active:
            self.failures.note(user.id)
            raise LoginFailedError
        return user


def _normalised(text: str) -> str:
    try:
        return normalise_email(text)
    except InvalidError:
        # Nobody has it, and that is found out like any other address that nobody has.
        return text.replace("\0", "").lower()


def _chosen(memberships: tuple[Membership, ...], team_id: TeamId | None) -> Membership:
    if not memberships:
        raise NoTeamError
    if team_id is None:
        return memberships[0]
    for membership in memberships:
        if membership.team_id == team_id:
            return membership
    raise TeamNotFoundError
