from typing import Self
from uuid import UUID

from msgspec import Struct

from adapters.http.page_numbers import numbers_of
from application.identity.people.change_role import ChangeRoleCommand
from application.shared.actor import Actor
from application.shared.pagination import Page
from domain.identity.membership import Member
from domain.identity.permissions import Role
from domain.shared.ids import UserId


class ChangeRoleBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """With `keep_keys` the member's API keys may do what they could."""

    role: Role
    keep_keys: bool = False

    def to_command(self, actor: Actor, user_id: UserId) -> ChangeRoleCommand:
        return ChangeRoleCommand(
            actor=actor, user_id=user_id, role=self.role, keep_keys=self.keep_keys
        )


class MemberView(Struct, kw_only=True):
    user_id: UUID
    email: str | None
    display_name: str
    avatar_colour: str
    is_active: bool
    role: Role

    @classmethod
    def of(cls, member: Member) -> Self:
        user = member.user
        return cls(
            user_id=user.id,
            email=user.email,
            display_name=user.display_name,
            avatar_colour=user.avatar_colour,
            is_active=user.is_active,
            role=member.role,
        )


class MemberPage(Struct, kw_only=True):
    items: tuple[MemberView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[Member]) -> Self:
        return cls(
            items=tuple(map(MemberView.of, page.items)),
            **numbers_of(page),
        )
