from datetime import datetime
from typing import Any, Self
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from adapters.http.page_numbers import numbers_of
from adapters.http.partial_update import given
from application.models.registry.routes.route_change import RouteChange
from application.shared.pagination import Page
from application.shared.unset import UNSET as UNCHANGED
from application.shared.unset import UnsetType as UnchangedType
from domain.models.registry.model import Visibility
from domain.models.registry.registered_route import RegisteredRoute
from domain.models.route import (
    CachePolicy,
    GuardrailPolicy,
    PiiAction,
    RetryPolicy,
    Route,
    RouteTimeouts,
    Split,
    SplitBy,
    Strategy,
    Target,
)
from domain.models.served_model import ModelKind


class TargetPart(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A smaller `priority` is tried first; `weight` is the share among equals."""

    model: str
    weight: int = 1
    priority: int = 0


class RetryPart(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`attempts` are all attempts of a call together, over all targets and fallbacks."""

    attempts: int = 3
    backoff_ms: int = 200
    max_backoff_ms: int = 5_000


class TimeoutsPart(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """In seconds; null leaves it to the provider."""

    first_token: float | None = None
    between_tokens: float | None = None
    total: float | None = None


class ArmPart(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: str
    model: str
    weight: int = 1


class SplitPart(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Traffic divided for comparison; whoever is in an arm stays there."""

    by: SplitBy
    arms: tuple[ArmPart, ...]
    salt: str = ""


class CachePart(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How many seconds equal calls get the same answer; with `semantic_threshold`, a cosine
    similarity, similar ones too."""

    ttl_s: int
    semantic_threshold: float | None = None


class GuardrailsPart(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is looked for in what goes in and comes out; `max_input` is in characters."""

    max_input: int | None = None
    denied: tuple[str, ...] = ()
    pii: tuple[str, ...] = ()
    pii_action: PiiAction = PiiAction.REDACT
    output_schema: dict[str, Any] | None = None
    on_input: bool = True
    on_output: bool = True


class CreateRouteBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """`targets` are models of the same `kind`; `fallbacks`, models or routes of it, take over in
    their order when no target could answer."""

    name: str
    targets: tuple[TargetPart, ...]
    kind: ModelKind = ModelKind.CHAT
    aliases: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PRIVATE
    enabled: bool = True
    strategy: Strategy = Strategy.PRIORITY
    fallbacks: tuple[str, ...] = ()
    retry: RetryPart = RetryPart()
    timeouts: TimeoutsPart = TimeoutsPart()
    hedge_after_ms: int | None = None
    health_check_s: int | None = None
    split: SplitPart | None = None
    cache: CachePart | None = None
    guardrails: GuardrailsPart | None = None

    def to_route(self) -> Route:
        members = msgspec.to_builtins(self)
        members["is_public"] = members.pop("visibility") == Visibility.PUBLIC
        members["is_enabled"] = members.pop("enabled")
        return msgspec.convert(members, Route)


class UpdateRouteBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is given replaces the whole member."""

    name: str | UnsetType = UNSET
    targets: tuple[TargetPart, ...] | UnsetType = UNSET
    kind: ModelKind | UnsetType = UNSET
    aliases: tuple[str, ...] | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    strategy: Strategy | UnsetType = UNSET
    fallbacks: tuple[str, ...] | UnsetType = UNSET
    retry: RetryPart | UnsetType = UNSET
    timeouts: TimeoutsPart | UnsetType = UNSET
    hedge_after_ms: int | UnsetType | None = UNSET
    health_check_s: int | UnsetType | None = UNSET
    split: SplitPart | UnsetType | None = UNSET
    cache: CachePart | UnsetType | None = UNSET
    guardrails: GuardrailsPart | UnsetType | None = UNSET

    def to_change(self) -> RouteChange:
        visibility = given(self.visibility)
        return RouteChange(
            name=given(self.name),
            kind=given(self.kind),
            targets=_part(self.targets, tuple[Target, ...]),
            aliases=given(self.aliases),
            is_public=(UNCHANGED if visibility is UNCHANGED else visibility is Visibility.PUBLIC),
            is_enabled=given(self.enabled),
            strategy=given(self.strategy),
            fallbacks=given(self.fallbacks),
            retry=_part(self.retry, RetryPolicy),
            timeouts=_part(self.timeouts, RouteTimeouts),
            hedge_after_ms=given(self.hedge_after_ms),
            health_check_s=given(self.health_check_s),
            split=_part(self.split, Split | None),
            cache=_part(self.cache, CachePolicy | None),
            guardrails=_part(self.guardrails, GuardrailPolicy | None),
        )


class RouteView(Struct, kw_only=True):
    """A route of the team's registry."""

    id: UUID
    name: str
    aliases: tuple[str, ...]
    kind: ModelKind
    visibility: Visibility
    enabled: bool
    strategy: Strategy
    targets: tuple[TargetPart, ...]
    fallbacks: tuple[str, ...]
    retry: RetryPart
    timeouts: TimeoutsPart
    hedge_after_ms: int | None
    health_check_s: int | None
    split: SplitPart | None
    cache: CachePart | None
    guardrails: GuardrailsPart | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, registered: RegisteredRoute) -> Self:
        members = msgspec.to_builtins(registered.route)
        is_public = members.pop("is_public")
        return msgspec.convert(
            {
                **members,
                "id": registered.id,
                "visibility": Visibility.PUBLIC if is_public else Visibility.PRIVATE,
                "enabled": members.pop("is_enabled"),
                "created_at": registered.created_at,
                "updated_at": registered.updated_at,
            },
            cls,
        )


class RoutePage(Struct, kw_only=True):
    items: tuple[RouteView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[RegisteredRoute]) -> Self:
        return cls(items=tuple(map(RouteView.of, page.items)), **numbers_of(page))


def _part(part: object, as_type: Any) -> Any:
    """The part in the words of the domain."""
    if part is UNSET:
        unchanged: UnchangedType = UNCHANGED
        return unchanged
    return msgspec.convert(msgspec.to_builtins(part), as_type)
