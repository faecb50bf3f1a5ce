from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.identity.sessions.me import Me, me_of
from application.identity.sessions.person import person_of
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.unset import UNSET, UnsetType
from domain.identity.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMeCommand:
    """What is not given stays."""

    actor: Actor
    display_name: str | UnsetType = UNSET
    avatar_colour: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMe:
    """Changes how the person is shown, and in which language things are said."""

    uow: IdentityUnitOfWork
    auditor: Auditor

    async def __call__(self, command: UpdateMeCommand) -> Me:
        user_id = person_of(command.actor)
        async with self.uow as tx:
            user = await tx.users.get(user_id)
            before = _recorded(user)
            if command.display_name is not UNSET:
                user.rename(command.display_name)
            if command.avatar_colour is not UNSET:
                user.recolour(command.avatar_colour)
            if command.locale is not UNSET:
                user.speak(command.locale)
            after = _recorded(user)
            if after != before:
                await tx.users.save(user)
                await self.auditor.record(
                    tx,
                    command.actor,
                    "user.updated",
                    Target("user", user.id),
                    before=before,
                    after=after,
                )
            me = await me_of(tx, command.actor, user)
            await tx.commit()
        return me


def _recorded(user: User) -> dict[str, object]:
    return {
        "display_name": user.display_name,
        "avatar_colour": user.avatar_colour,
        "locale": user.locale,
    }
