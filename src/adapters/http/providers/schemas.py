from datetime import datetime
from typing import Any, Self
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from adapters.http.page_numbers import numbers_of
from adapters.http.partial_update import given
from application.models.registry.ports import Offer
from application.models.registry.providers.entries import ProviderChange, ProviderDraft
from application.models.registry.providers.shown_provider import ShownProvider
from application.models.registry.providers.try_connection import Connection
from application.shared.masking import MASK
from application.shared.pagination import Page
from domain.models.served_model import ModelKind

Members = dict[str, Any]


class CreateProviderBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """`configuration` has the keys that a configuration file has for the type; those that are
    secrets belong into `credentials`."""

    name: str
    type: str
    configuration: Members = {}
    credentials: Members = {}
    enabled: bool = True

    def to_draft(self) -> ProviderDraft:
        return ProviderDraft(
            name=self.name,
            type=self.type,
            configuration_and_secrets={**self.configuration, **self.credentials},
            is_enabled=self.enabled,
        )


class UpdateProviderBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Of `configuration` and `credentials` the keys that are given are replaced, and null removes
    one."""

    name: str | UnsetType = UNSET
    configuration: Members | UnsetType = UNSET
    credentials: Members | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET

    def to_change(self) -> ProviderChange:
        both = [one for one in (self.configuration, self.credentials) if one is not UNSET]
        merged = {key: value for one in both for key, value in one.items()}
        return ProviderChange(
            name=given(self.name),
            configuration_and_secrets=given(merged if both else UNSET),
            is_enabled=given(self.enabled),
        )


class ProviderView(Struct, kw_only=True):
    """`credentials` are masked; `headers.x-key` is one in a mapping.

    `problem` says why the provider cannot be used as it is.
    """

    id: UUID
    name: str
    type: str
    configuration: Members
    credentials: dict[str, str]
    enabled: bool
    problem: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownProvider) -> Self:
        provider = shown.provider
        return cls(
            id=provider.id,
            name=provider.name,
            type=provider.type,
            configuration=provider.configuration,
            credentials=dict.fromkeys(provider.credentials, MASK),
            enabled=provider.is_enabled,
            problem=shown.problem,
            created_at=provider.created_at,
            updated_at=provider.updated_at,
        )


class ProviderPage(Struct, kw_only=True):
    items: tuple[ProviderView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[ShownProvider]) -> Self:
        return cls(items=tuple(map(ProviderView.of, page.items)), **numbers_of(page))


class ConnectionProblem(Struct, kw_only=True):
    code: str
    message: str


class ConnectionView(Struct, kw_only=True):
    """`models` is how many the provider offers."""

    reachable: bool
    latency_ms: float
    models: int | None
    problem: ConnectionProblem | None

    @classmethod
    def of(cls, connection: Connection) -> Self:
        problem = connection.problem
        return cls(
            reachable=connection.is_reachable,
            latency_ms=round(connection.latency_ms, 1),
            models=connection.models,
            problem=(
                None
                if problem is None
                else ConnectionProblem(code=problem.code, message=problem.message)
            ),
        )


class OfferView(Struct, kw_only=True):
    """What the provider does not say is null."""

    name: str
    kind: ModelKind | None
    context_length: int | None

    @classmethod
    def of(cls, offer: Offer) -> Self:
        return cls(name=offer.name, kind=offer.kind, context_length=offer.context_length)


class OffersView(Struct, kw_only=True):
    items: tuple[OfferView, ...]
