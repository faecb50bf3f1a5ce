from dataclasses import dataclass, field

from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.passwords import Passwords
from application.identity.session_ports import Attempts
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.correlation import origin
from domain.identity.api_key import hash_secret
from domain.identity.email import normalise_email
from domain.identity.errors import TeamNotFoundError
from domain.identity.joining.attempts import token_subjects
from domain.identity.joining.errors import SetupDoneError, SetupTokenInvalidError
from domain.identity.team import Team
from domain.identity.user import User, check_display_name
from domain.operations.audit import ActorKind
from domain.shared.names import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSetupCommand:
    token: str = field(repr=False)
    email: str
    password: str = field(repr=False)
    team_name: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    user: User
    team: Team


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSetup:
    """Makes the owner's account on a fresh server, for whoever has the token of the set-up link
    that the server printed. It works once, and only while the first team has no person as owner.
    """

    uow: JoiningUnitOfWork
    passwords: Passwords
    attempts: Attempts
    auditor: Auditor

    async def __call__(self, command: ClaimSetupCommand) -> Claimed:
        await self.attempts.count(token_subjects(origin.get().address))
        async with self.uow as tx:
            await _team_to_claim(tx, command.token)
        email = normalise_email(command.email)
        display_name = check_display_name(command.display_name)
        team_name = check_name(command.team_name, param="team_name")
        password_hash = await self.passwords.hash_new(command.password)
        async with self.uow as tx:
            first = await _team_to_claim(tx, command.token)
            owner = await tx.users.get((await tx.users.owner_of(first.id)).id)
            owner.email, owner.password_hash = email, password_hash
            owner.rename(display_name)
            owner.is_operator = True
            await tx.users.save(owner)
            team = await tx.teams.get(first.id)
            team.rename(team_name)
            await tx.teams.save(team)
            await tx.setup_tokens.clear()
            await self._record(tx, owner, team)
            await tx.commit()
        return Claimed(user=owner, team=team)

    async def _record(self, tx: JoiningUnitOfWork, owner: User, team: Team) -> None:
        actor = Actor(team_id=team.id, user_id=owner.id, acting_as=ActorKind.USER)
        after = {"email": owner.email, "display_name": owner.display_name, "team": team.name}
        await self.auditor.record(tx, actor, "setup.claimed", Target("user", owner.id), after=after)


async def _team_to_claim(tx: JoiningUnitOfWork, token: str) -> Team:
    """The first team; nobody else gets it until the unit of work ends."""
    team = await tx.teams.first()
    if team is None:
        raise TeamNotFoundError
    if await tx.setup_tokens.has_owner():
        raise SetupDoneError
    if not await tx.setup_tokens.has(hash_secret(token)):
        raise SetupTokenInvalidError
    return team
