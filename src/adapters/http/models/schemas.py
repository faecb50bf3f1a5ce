from datetime import datetime
from typing import Any, Self
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from adapters.http.page_numbers import numbers_of
from adapters.http.partial_update import given
from application.models.registry.models.entries import ModelChange, ModelDraft
from application.models.registry.models.shown_model import ShownModel
from application.shared.pagination import Page
from domain.models.registry.model import ModelState, Visibility
from domain.models.served_model import Capability, DeploymentLimits, ModelKind


class DeploymentLimitsBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the model takes from all callers together: requests and tokens per minute, and calls at
    the same time; null does not limit."""

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None

    def to_limits(self) -> DeploymentLimits:
        return DeploymentLimits(rpm=self.rpm, tpm=self.tpm, concurrency=self.concurrency)


class CreateModelBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """`provider` is the name or the id of one of the team's providers; without `upstream_name` that
    calls the model by the same `name`. Without `capabilities` anything is tried."""

    name: str
    provider: str
    kind: ModelKind = ModelKind.CHAT
    aliases: tuple[str, ...] = ()
    upstream_name: str | None = None
    capabilities: tuple[Capability, ...] | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    limits: DeploymentLimitsBody | None = None
    visibility: Visibility = Visibility.PRIVATE
    state: ModelState = ModelState.ENABLED
    options: dict[str, Any] = {}

    def to_draft(self) -> ModelDraft:
        return ModelDraft(
            name=self.name,
            provider=self.provider,
            kind=self.kind,
            aliases=self.aliases,
            upstream_name=self.upstream_name,
            capabilities=None if self.capabilities is None else frozenset(self.capabilities),
            context_length=self.context_length,
            max_output_tokens=self.max_output_tokens,
            limits=None if self.limits is None else self.limits.to_limits(),
            visibility=self.visibility,
            state=self.state,
            options=self.options,
        )


class UpdateModelBody(Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    kind: ModelKind | UnsetType = UNSET
    aliases: tuple[str, ...] | UnsetType = UNSET
    upstream_name: str | UnsetType = UNSET
    capabilities: tuple[Capability, ...] | UnsetType | None = UNSET
    context_length: int | UnsetType | None = UNSET
    max_output_tokens: int | UnsetType | None = UNSET
    limits: DeploymentLimitsBody | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET
    state: ModelState | UnsetType = UNSET
    options: dict[str, Any] | UnsetType = UNSET

    def to_change(self) -> ModelChange:
        capabilities, limits = self.capabilities, self.limits
        return ModelChange(
            name=given(self.name),
            provider=given(self.provider),
            kind=given(self.kind),
            aliases=given(self.aliases),
            upstream_name=given(self.upstream_name),
            capabilities=given(
                frozenset(capabilities) if isinstance(capabilities, tuple) else capabilities
            ),
            context_length=given(self.context_length),
            max_output_tokens=given(self.max_output_tokens),
            limits=given(
                limits.to_limits() if isinstance(limits, DeploymentLimitsBody) else limits
            ),
            visibility=given(self.visibility),
            state=given(self.state),
            options=given(self.options),
        )


class DeploymentLimitsView(Struct, kw_only=True):
    rpm: int | None
    tpm: int | None
    concurrency: int | None


class RegisteredModelView(Struct, kw_only=True):
    """A model of the team's registry. What nobody has said is null."""

    id: UUID
    name: str
    aliases: tuple[str, ...]
    kind: ModelKind
    provider: str
    provider_id: UUID
    upstream_name: str
    capabilities: tuple[Capability, ...] | None
    context_length: int | None
    max_output_tokens: int | None
    limits: DeploymentLimitsView | None
    visibility: Visibility
    state: ModelState
    options: dict[str, Any]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownModel) -> Self:
        model = shown.model
        return cls(
            id=model.id,
            name=model.name,
            aliases=model.aliases,
            kind=model.kind,
            provider=shown.provider,
            provider_id=model.provider_id,
            upstream_name=model.upstream_name,
            capabilities=None if model.capabilities is None else tuple(sorted(model.capabilities)),
            context_length=model.context_length,
            max_output_tokens=model.max_output_tokens,
            limits=_limits_view(model.limits),
            visibility=model.visibility,
            state=model.state,
            options=model.options,
            created_at=model.created_at,
            updated_at=model.updated_at,
        )


class RegisteredModelPage(Struct, kw_only=True):
    items: tuple[RegisteredModelView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[ShownModel]) -> Self:
        return cls(items=tuple(map(RegisteredModelView.of, page.items)), **numbers_of(page))


def _limits_view(limits: DeploymentLimits | None) -> DeploymentLimitsView | None:
    if limits is None:
        return None
    return DeploymentLimitsView(rpm=limits.rpm, tpm=limits.tpm, concurrency=limits.concurrency)
