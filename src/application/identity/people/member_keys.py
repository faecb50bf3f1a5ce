"""What becomes of the keys that a member has made."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from application.identity.key_reach import recorded
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from domain.identity.api_key import ApiKey
from domain.identity.membership import Membership
from domain.identity.permissions import Permission
from domain.identity.scopes import scopes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberKeys:
    """Changes all live keys of a member, with an audit row for each in the key's team."""

    auditor: Auditor
    clock: Clock

    async def revoke(self, tx: IdentityUnitOfWork, actor: Actor, of: Membership) -> None:
        await self._change(tx, actor, of, "key.revoked", lambda key: key.revoke(self.clock.now()))

    async def narrow(
        self,
        tx: IdentityUnitOfWork,
        actor: Actor,
        of: Membership,
        to: frozenset[Permission],
    ) -> None:
        """Take away the scopes that the member himself has no more."""
        await self._change(
            tx, actor, of, "key.updated", lambda key: key.limit_to(scopes_of(key.permissions & to))
        )

    async def _change(
        self,
        tx: IdentityUnitOfWork,
        actor: Actor,
        of: Membership,
        action: str,
        change: Callable[[ApiKey], None],
    ) -> None:
        there = replace(actor, team_id=of.team_id)
        for key in await tx.api_keys.live_of(of.team_id, of.user_id):
            before = recorded(key)
            change(key)
            if recorded(key) == before:
                continue
            await tx.api_keys.save(key)
            target = Target("key", key.id)
            await self.auditor.record(tx, there, action, target, before=before, after=recorded(key))
