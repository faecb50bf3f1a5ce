from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from adapters.http.partial_update import given
from application.identity.sessions.me import Me
from application.identity.sessions.update_me import UpdateMeCommand
from application.shared.actor import Actor
from domain.identity.permissions import Role
from domain.identity.user import User

Text = Annotated[str, Meta(max_length=1000)]


class UpdateMeBody(Struct, kw_only=True, forbid_unknown_fields=True):
    display_name: Text | UnsetType = UNSET
    avatar_colour: Text | UnsetType = UNSET
    locale: Text | UnsetType = UNSET

    def to_command(self, actor: Actor) -> UpdateMeCommand:
        return UpdateMeCommand(
            actor=actor,
            display_name=given(self.display_name),
            avatar_colour=given(self.avatar_colour),
            locale=given(self.locale),
        )


class PersonView(Struct, kw_only=True):
    """An account as its owner sees it."""

    id: UUID
    email: str | None
    display_name: str
    avatar_colour: str
    locale: str
    is_operator: bool
    has_password: bool
    created_at: datetime
    last_login_at: datetime | None

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(**_members(user))


class OwnTeamView(Struct, kw_only=True):
    id: UUID
    name: str
    role: Role


class MeView(PersonView, kw_only=True):
    """The person with the team that the session acts in, and all other teams."""

    team_id: UUID
    role: Role | None
    permissions: list[str]
    teams: list[OwnTeamView]

    @classmethod
    def of_me(cls, me: Me) -> Self:
        return cls(
            **_members(me.user),
            team_id=me.team_id,
            role=me.role,
            permissions=sorted(me.permissions),
            teams=[OwnTeamView(id=team.id, name=team.name, role=team.role) for team in me.teams],
        )


def _members(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "display_name": user.display_name,
        "avatar_colour": user.avatar_colour,
        "locale": user.locale,
        "is_operator": user.is_operator,
        "has_password": user.password_hash is not None,
        "created_at": user.created_at,
        "last_login_at": user.last_login_at,
    }
