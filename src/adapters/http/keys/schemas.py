from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from adapters.http.allowances import (
    BudgetChange,
    BudgetTermsView,
    LimitsChange,
    LimitsView,
    limits_of,
    terms_of,
)
from adapters.http.page_numbers import numbers_of
from adapters.http.partial_update import given
from application.identity.allowance_change import AllowanceChange
from application.identity.issue_key import IssuedKey, IssueKeyCommand
from application.identity.update_key import UpdateKeyCommand
from application.shared.actor import Actor
from application.shared.pagination import Page
from domain.identity.api_key import ApiKey
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.permissions import Permission
from domain.shared.ids import KeyId

KeyStatus = Literal["active", "expired", "revoked"]


class IssueKeyBody(Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    allowed_models: tuple[str, ...] = ANY_MODEL
    scopes: tuple[Permission, ...] | None = None
    expires_at: datetime | None = None
    limits: LimitsChange = UNSET
    budget: BudgetChange = UNSET

    def to_command(self, actor: Actor) -> IssueKeyCommand:
        return IssueKeyCommand(
            actor=actor,
            name=self.name,
            allowed_models=self.allowed_models,
            scopes=self.scopes,
            expires_at=self.expires_at,
            allowance=AllowanceChange(limits=limits_of(self.limits), budget=terms_of(self.budget)),
        )


class UpdateKeyBody(Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | UnsetType = UNSET
    allowed_models: tuple[str, ...] | UnsetType = UNSET
    scopes: tuple[Permission, ...] | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    limits: LimitsChange = UNSET
    budget: BudgetChange = UNSET

    def to_command(self, actor: Actor, key_id: KeyId) -> UpdateKeyCommand:
        return UpdateKeyCommand(
            actor=actor,
            key_id=key_id,
            name=given(self.name),
            allowed_models=given(self.allowed_models),
            scopes=given(self.scopes),
            expires_at=given(self.expires_at),
            allowance=AllowanceChange(limits=limits_of(self.limits), budget=terms_of(self.budget)),
        )


class KeyView(Struct, kw_only=True):
    id: UUID
    name: str
    masked_key: str
    user_id: UUID | None
    allowed_models: tuple[str, ...]
    scopes: tuple[Permission, ...]
    status: KeyStatus
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    limits: LimitsView | None
    budget: BudgetTermsView | None

    @classmethod
    def of(cls, key: ApiKey, at: datetime) -> Self:
        return cls(**_members(key, at))


class IssuedKeyView(KeyView, kw_only=True):
    """``key`` is the secret: it is shown this once."""

    key: str

    @classmethod
    def of_issued(cls, issued: IssuedKey, at: datetime) -> Self:
        return cls(key=issued.secret, **_members(issued.key, at))


class KeyPage(Struct, kw_only=True):
    items: tuple[KeyView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[ApiKey], at: datetime) -> Self:
        return cls(
            items=tuple(KeyView.of(key, at) for key in page.items),
            **numbers_of(page),
        )


def _members(key: ApiKey, at: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "masked_key": key.masked,
        "user_id": key.user_id,
        "allowed_models": key.allowed_models,
        "scopes": key.scopes,
        "status": _status(key, at),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "limits": None if key.limits is None else LimitsView.of(key.limits),
        "budget": None if key.budget is None else BudgetTermsView.of(key.budget),
    }


def _status(key: ApiKey, at: datetime) -> KeyStatus:
    if key.revoked_at is not None:
        return "revoked"
    return "active" if key.is_live(at) else "expired"
