from datetime import datetime
from typing import Any, Self
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from adapters.http.allowances import (
    BudgetChange,
    BudgetTermsView,
    LimitsChange,
    LimitsView,
    budget_view,
    limits_of,
    limits_view,
    terms_of,
)
from adapters.http.page_numbers import numbers_of
from adapters.http.partial_update import given
from application.identity.allowance_change import AllowanceChange
from application.identity.people.account import Account
from application.identity.people.create_user import CreatedUser, CreateUserCommand
from application.identity.people.reset_links import OneTimeReset
from application.identity.people.update_user import UpdateUserCommand, UserChange
from application.shared.actor import Actor
from application.shared.pagination import Page
from domain.identity.permissions import Role
from domain.identity.user import DEFAULT_COLOUR, DEFAULT_LOCALE
from domain.shared.ids import UserId


class CreateUserBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Without a `password`, the answer has a one-time link to set one."""

    email: str
    display_name: str
    role: Role = Role.MEMBER
    password: str | None = None
    avatar_colour: str = DEFAULT_COLOUR
    locale: str = DEFAULT_LOCALE
    is_operator: bool = False
    limits: LimitsChange = UNSET
    budget: BudgetChange = UNSET

    def to_command(self, actor: Actor) -> CreateUserCommand:
        return CreateUserCommand(
            actor=actor,
            email=self.email,
            display_name=self.display_name,
            role=self.role,
            password=self.password,
            avatar_colour=self.avatar_colour,
            locale=self.locale,
            is_operator=self.is_operator,
            allowance=AllowanceChange(limits=limits_of(self.limits), budget=terms_of(self.budget)),
        )


class UpdateUserBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """`keep_keys` is for deactivating an account, and for making an operator none: it leaves the
    user's API keys as they are."""

    email: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    avatar_colour: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    is_operator: bool | UnsetType = UNSET
    keep_keys: bool = False
    limits: LimitsChange = UNSET
    budget: BudgetChange = UNSET

    def to_command(self, actor: Actor, user_id: UserId) -> UpdateUserCommand:
        return UpdateUserCommand(
            actor=actor,
            user_id=user_id,
            change=UserChange(
                email=given(self.email),
                display_name=given(self.display_name),
                avatar_colour=given(self.avatar_colour),
                locale=given(self.locale),
                is_active=given(self.is_active),
                is_operator=given(self.is_operator),
                keep_keys=self.keep_keys,
            ),
            allowance=AllowanceChange(limits=limits_of(self.limits), budget=terms_of(self.budget)),
        )


class UserView(Struct, kw_only=True):
    """`role`, `limits` and `budget` are those in the caller's team."""

    id: UUID
    email: str | None
    display_name: str
    avatar_colour: str
    locale: str
    role: Role | None
    is_active: bool
    is_operator: bool
    external_subject: str | None
    last_login_at: datetime | None
    created_at: datetime
    limits: LimitsView | None
    budget: BudgetTermsView | None

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(**_members(account))


class PasswordResetView(Struct, kw_only=True):
    """Whoever has the token sets the password. It is shown this once."""

    token: str
    link: str
    expires_at: datetime

    @classmethod
    def of(cls, reset: OneTimeReset) -> Self:
        return cls(token=reset.token, link=reset.link, expires_at=reset.expires_at)


class CreatedUserView(UserView, kw_only=True):
    """`password_reset` is null where a password was given."""

    password_reset: PasswordResetView | None

    @classmethod
    def of_created(cls, created: CreatedUser) -> Self:
        reset = None if created.reset is None else PasswordResetView.of(created.reset)
        return cls(password_reset=reset, **_members(created.account))


class UserPage(Struct, kw_only=True):
    items: tuple[UserView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[Account]) -> Self:
        return cls(
            items=tuple(map(UserView.of, page.items)),
            **numbers_of(page),
        )


def _members(account: Account) -> dict[str, Any]:
    user = account.user
    return {
        "id": user.id,
        "email": user.email,
        "display_name": user.display_name,
        "avatar_colour": user.avatar_colour,
        "locale": user.locale,
        "role": account.role,
        "is_active": user.is_active,
        "is_operator": user.is_operator,
        "external_subject": user.external_subject,
        "last_login_at": user.last_login_at,
        "created_at": user.created_at,
        "limits": limits_view(account.allowance),
        "budget": budget_view(account.allowance),
    }
