from collections.abc import Callable
from dataclasses import dataclass

from application.identity.issue_key import IssuedKey
from application.identity.key_reach import recorded
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.api_key import SECRET_PREFIX, ApiKey
from domain.identity.membership import Membership
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.permissions import Permission, Role
from domain.identity.scopes import scopes_of
from domain.identity.team import Team
from domain.identity.user import User
from domain.operations.audit import ActorKind
from domain.shared.ids import KeyId, TeamId, UserId

# Raises what keeps it from being seen.
ShowKey = Callable[[IssuedKey], None]

FIRST_TEAM_NAME = "My team"
FIRST_USER_NAME = "Owner"
FIRST_KEY_NAME = "first key"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFirstTeam:
    """On a fresh database, makes the first team, its owner, who operates the server,
    and an API key.

    The key is shown before it is kept: whoever dies in between has lost nothing, since the next
    start makes another one, and no key is kept that nobody has seen.

    Returns ``None`` when there is a team already, so it may run at every start.
    """

    uow: IdentityUnitOfWork
    clock: Clock
    ids: IdGenerator
    secrets: SecretGenerator
    auditor: Auditor

    async def __call__(self, show: ShowKey) -> IssuedKey | None:
        async with self.uow as tx:
            if await tx.teams.first() is not None:
                return None
            now = self.clock.now()
            team_id = TeamId(self.ids.new())
            user_id = UserId(self.ids.new())
            secret = SECRET_PREFIX + self.secrets.token()
            key = ApiKey.issue(
                id=KeyId(self.ids.new()),
                team_id=team_id,
                user_id=user_id,
                name=FIRST_KEY_NAME,
                secret=secret,
                allowed_models=ANY_MODEL,
                scopes=scopes_of(Permission),
                expires_at=None,
                at=now,
            )
            await tx.teams.add(Team(id=team_id, name=FIRST_TEAM_NAME, created_at=now))
            await tx.users.add(
                User(id=user_id, display_name=FIRST_USER_NAME, created_at=now, is_operator=True)
            )
            await tx.memberships.add(Membership(team_id=team_id, user_id=user_id, role=Role.OWNER))
            await tx.api_keys.add(key)
            actor = Actor(team_id=team_id, acting_as=ActorKind.SYSTEM)
            team = Target("team", team_id)
            await self.auditor.record(
                tx, actor, "team.created", team, after={"name": FIRST_TEAM_NAME}
            )
            await self.auditor.record(
                tx, actor, "key.issued", Target("key", key.id), after=recorded(key)
            )
            issued = IssuedKey(key=key, secret=secret)
            show(issued)
            await tx.commit()
        return issued
