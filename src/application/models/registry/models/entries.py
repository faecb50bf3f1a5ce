from dataclasses import dataclass, field, replace
from typing import Any

from application.models.registry.finding import find_provider
from application.models.registry.ports import RegistryUnitOfWork
from application.models.registry.references import References
from application.models.registry.served_to_all import must_not_change_for_all
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator
from application.shared.unset import UNSET, UnsetType
from domain.identity.permissions import Permission
from domain.models.registry.errors import ModelInUseError, ProviderNotFoundError, wrong_fields
from domain.models.registry.model import Model, ModelState, Visibility
from domain.models.registry.provider import Provider
from domain.models.served_model import Capability, DeploymentLimits, ModelKind
from domain.shared.ids import ModelId, ProviderId


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDraft:
    """``provider`` is the id or the name of a provider of the team. Without ``upstream_name`` that
    calls the model as the team does."""

    name: str
    provider: ProviderId | str
    kind: ModelKind = ModelKind.CHAT
    aliases: tuple[str, ...] = ()
    upstream_name: str | None = None
    capabilities: frozenset[Capability] | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    limits: DeploymentLimits | None = None
    visibility: Visibility = Visibility.PRIVATE
    state: ModelState = ModelState.ENABLED
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange:
    """What is not given stays; ``provider`` is an id or a name."""

    name: str | UnsetType = UNSET
    provider: ProviderId | str | UnsetType = UNSET
    kind: ModelKind | UnsetType = UNSET
    aliases: tuple[str, ...] | UnsetType = UNSET
    upstream_name: str | UnsetType = UNSET
    capabilities: frozenset[Capability] | UnsetType | None = UNSET
    context_length: int | UnsetType | None = UNSET
    max_output_tokens: int | UnsetType | None = UNSET
    limits: DeploymentLimits | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET
    state: ModelState | UnsetType = UNSET
    options: dict[str, object] | UnsetType = UNSET

    @property
    def given(self) -> dict[str, Any]:
        members = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in members.items() if value is not UNSET}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntries:
    """Enters models into the registry, changes them and takes them out, each with a row in the
    audit log."""

    references: References
    auditor: Auditor
    clock: Clock
    ids: IdGenerator

    async def add(self, tx: RegistryUnitOfWork, actor: Actor, draft: ModelDraft) -> Model:
        now = self.clock.now()
        provider = await self._provider(tx, actor, draft.provider)
        model = Model(
            id=ModelId(self.ids.new()),
            team_id=actor.team_id,
            name=draft.name,
            aliases=draft.aliases,
            kind=draft.kind,
            provider_id=provider.id,
            upstream_name=draft.upstream_name or draft.name,
            capabilities=draft.capabilities,
            context_length=draft.context_length,
            max_output_tokens=draft.max_output_tokens,
            limits=_limits(draft.limits),
            visibility=draft.visibility,
            state=draft.state,
            options=draft.options,
            created_at=now,
            updated_at=now,
        )
        await _permit(tx, actor, model)
        model.check()
        self.references.check_served(model, provider)
        await tx.models.add(model)
        await self.auditor.record(tx, actor, "model.created", _target(model), after=recorded(model))
        return model

    async def change(
        self, tx: RegistryUnitOfWork, actor: Actor, old: Model, change: ModelChange
    ) -> Model:
        """Answers ``old`` where nothing is different. Whether routes can still name it is checked
        where the change is whole."""
        if change.given.keys() != {"state"}:
            old.must_not_be_archived()
        return await self.change_even_archived(tx, actor, old, change)

    async def change_even_archived(
        self, tx: RegistryUnitOfWork, actor: Actor, old: Model, change: ModelChange
    ) -> Model:
        given = change.given
        if "provider" in given:
            which = given.pop("provider")
            given["provider_id"] = (await self._provider(tx, actor, which)).id
        new = replace(old, **given)
        new = replace(new, limits=_limits(new.limits), former_names=old.former_names_beside(new))
        if new == old:
            return old
        provider = await self._provider(tx, actor, new.provider_id)
        await _permit(tx, actor, old)
        await _permit(tx, actor, new)
        new.check()
        if _described(new) != _described(old):
            self.references.check_served(new, provider)
        new = replace(new, updated_at=self.clock.now())
        await tx.models.save(new)
        action = _ACTIONS.get((old.state, new.state), "model.updated")
        await self.auditor.record(
            tx, actor, action, _target(new), before=recorded(old), after=recorded(new)
        )
        return new

    async def remove(self, tx: RegistryUnitOfWork, actor: Actor, model: Model) -> None:
        """Raises ``ModelInUseError``."""
        await _permit(tx, actor, model)
        if await tx.models.was_called(model):
            raise ModelInUseError(model.name, "has been called", "Archive it instead.")
        await tx.models.remove(model)
        await self.auditor.record(
            tx, actor, "model.deleted", _target(model), before=recorded(model)
        )

    async def _provider(
        self, tx: RegistryUnitOfWork, actor: Actor, which: ProviderId | str
    ) -> Provider:
        try:
            provider = await find_provider(tx, actor.team_id, which)
        except ProviderNotFoundError:
            raise wrong_fields([("provider", "is no provider of the team")]) from None
        if self.references.configurations.is_of_the_server(provider.type):
            actor.require(Permission.MANAGE_SERVER)
        return provider


_ACTIONS = {
    (ModelState.ENABLED, ModelState.ARCHIVED): "model.archived",
    (ModelState.DISABLED, ModelState.ARCHIVED): "model.archived",
    (ModelState.ARCHIVED, ModelState.ENABLED): "model.restored",
    (ModelState.ARCHIVED, ModelState.DISABLED): "model.restored",
}


def _described(model: Model) -> tuple[object, ...]:
    """What its provider has to be able to serve."""
    return model.provider_id, model.kind, model.upstream_name, model.context_length, model.options


def recorded(model: Model) -> dict[str, object]:
    limits = model.limits or DeploymentLimits()
    return {
        "name": model.name,
        "aliases": model.aliases,
        "kind": model.kind,
        "provider_id": str(model.provider_id),
        "upstream_name": model.upstream_name,
        "capabilities": None if model.capabilities is None else sorted(model.capabilities),
        "context_length": model.context_length,
        "max_output_tokens": model.max_output_tokens,
        "limits": {"rpm": limits.rpm, "tpm": limits.tpm, "concurrency": limits.concurrency},
        "visibility": model.visibility,
        "state": model.state,
        "options": model.options,
    }


async def _permit(tx: RegistryUnitOfWork, actor: Actor, model: Model) -> None:
    if model.visibility is Visibility.PUBLIC:
        actor.require(Permission.MANAGE_SERVER)
    await must_not_change_for_all(tx, actor, *model.names)


def _limits(limits: DeploymentLimits | None) -> DeploymentLimits | None:
    """Limits of nothing are none."""
    return None if limits == DeploymentLimits() else limits


def _target(model: Model) -> Target:
    return Target("model", model.id)
