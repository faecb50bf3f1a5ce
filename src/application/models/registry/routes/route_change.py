from dataclasses import dataclass
from typing import Any

from application.shared.unset import UNSET, UnsetType
from domain.models.route import (
    CachePolicy,
    GuardrailPolicy,
    RetryPolicy,
    RouteTimeouts,
    Split,
    Strategy,
    Target,
)
from domain.models.served_model import ModelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteChange:
    """What is not given stays; what is given replaces the whole member."""

    name: str | UnsetType = UNSET
    kind: ModelKind | UnsetType = UNSET
    targets: tuple[Target, ...] | UnsetType = UNSET
    aliases: tuple[str, ...] | UnsetType = UNSET
    is_public: bool | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET
    strategy: Strategy | UnsetType = UNSET
    fallbacks: tuple[str, ...] | UnsetType = UNSET
    retry: RetryPolicy | UnsetType = UNSET
    timeouts: RouteTimeouts | UnsetType = UNSET
    hedge_after_ms: int | UnsetType | None = UNSET
    health_check_s: int | UnsetType | None = UNSET
    split: Split | UnsetType | None = UNSET
    cache: CachePolicy | UnsetType | None = UNSET
    guardrails: GuardrailPolicy | UnsetType | None = UNSET

    @property
    def given(self) -> dict[str, Any]:
        members = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in members.items() if value is not UNSET}
