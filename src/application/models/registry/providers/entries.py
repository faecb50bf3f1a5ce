import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from application.models.registry.ports import RegistryUnitOfWork
from application.models.registry.providers.bounds import ProviderBounds, urls_in
from application.models.registry.served_to_all import must_not_change_for_all
from application.operations.ports import Sealed, SecretBox
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator
from application.shared.unset import UNSET, UnsetType
from domain.identity.permissions import Permission
from domain.models.registry.errors import wrong_fields
from domain.models.registry.provider import Provider
from domain.operations.errors import SecretUnreadableError
from domain.shared.ids import ProviderId

# What may change without the secrets being sent elsewhere.
_HARMLESS = frozenset(
    {"timeouts", "max_connections", "transport", "keep_alive", "stream_usage", "operations"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDraft:
    """``configuration_and_secrets`` is by the keys that the type knows; what writes commands down
    masks it by its name."""

    name: str
    type: str
    configuration_and_secrets: Mapping[str, object] = field(repr=False)
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderChange:
    """What is not given stays. Of the configuration, secrets included, the keys that are given are
    replaced, and those that are ``None`` removed."""

    name: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    configuration_and_secrets: Mapping[str, object] | UnsetType = field(default=UNSET, repr=False)
    is_enabled: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntries:
    """Enters providers into the registry, changes them and takes them out, each with a row in the
    audit log."""

    bounds: ProviderBounds
    secrets: SecretBox
    auditor: Auditor
    clock: Clock
    ids: IdGenerator

    async def add(self, tx: RegistryUnitOfWork, actor: Actor, draft: ProviderDraft) -> Provider:
        checked = self.bounds.checked(
            actor, draft.type, draft.name, draft.configuration_and_secrets, None
        )
        now = self.clock.now()
        bare = Provider(
            id=ProviderId(self.ids.new()),
            team_id=actor.team_id,
            name=draft.name,
            type=draft.type,
            configuration=checked.plain,
            may_reach_private=actor.may(Permission.MANAGE_SERVER),
            is_enabled=draft.is_enabled,
            created_at=now,
            updated_at=now,
        )
        provider = self._with_secrets(bare, checked.secrets)
        provider.check()
        await tx.providers.add(provider)
        await self.auditor.record(
            tx, actor, "provider.created", _target(provider), after=recorded(provider)
        )
        return provider

    async def change(
        self, tx: RegistryUnitOfWork, actor: Actor, old: Provider, change: ProviderChange
    ) -> Provider:
        """Answers ``old`` where nothing is different."""
        new = replace(
            old,
            name=old.name if change.name is UNSET else change.name,
            type=old.type if change.type is UNSET else change.type,
            is_enabled=old.is_enabled if change.is_enabled is UNSET else change.is_enabled,
        )
        if change.configuration_and_secrets is not UNSET or new.type != old.type:
            given = (
                {}
                if change.configuration_and_secrets is UNSET
                else change.configuration_and_secrets
            )
            new = self._configured(actor, old, new, given)
        if new == old:
            return old
        await must_not_change_for_all(tx, actor, provider_id=old.id)
        new.check()
        new = replace(new, updated_at=self.clock.now())
        await tx.providers.save(new)
        await self.auditor.record(
            tx, actor, "provider.updated", _target(new), before=recorded(old), after=recorded(new)
        )
        return new

    async def remove(self, tx: RegistryUnitOfWork, actor: Actor, provider: Provider) -> None:
        """Raises ``ProviderInUseError``."""
        await tx.providers.remove(provider)
        await self.auditor.record(
            tx, actor, "provider.deleted", _target(provider), before=recorded(provider)
        )

    def _configured(
        self, actor: Actor, old: Provider, new: Provider, given: Mapping[str, object]
    ) -> Provider:
        secrets = self._opened(old, given)
        before = {**old.configuration, **secrets}
        whole = {**before, **given}
        kept = {key: value for key, value in whole.items() if value is not None}
        checked = self.bounds.checked(actor, new.type, new.name, kept, old)
        new = replace(new, configuration=checked.plain)
        is_known = secrets.keys() >= old.secret_keys
        leads_elsewhere = not is_known or urls_in(before) != urls_in(kept)
        if leads_elsewhere:
            new = replace(new, may_reach_private=actor.may(Permission.MANAGE_SERVER))
        if leads_elsewhere or _other_place(old, new):
            _must_be_given_again(secrets, given)
        return new if checked.secrets == secrets else self._with_secrets(new, checked.secrets)

    def _opened(self, provider: Provider, given: Mapping[str, object]) -> dict[str, object]:
        if provider.sealed is None:
            return {}
        try:
            text = self.secrets.open(Sealed(provider.sealed), place=provider.place)
        except SecretUnreadableError:
            # Whoever gives all of them anew needs none of the old.
            if provider.secret_keys <= given.keys():
                return {}
            raise
        opened: dict[str, object] = json.loads(text)
        return opened

    def _with_secrets(self, provider: Provider, secrets: Mapping[str, object]) -> Provider:
        names = tuple(sorted(_names_of(secrets)))
        if not secrets:
            return replace(provider, credentials=names, sealed=None)
        sealed = self.secrets.seal(json.dumps(secrets), place=provider.place)
        return replace(provider, credentials=names, sealed=sealed.ciphertext)


def recorded(provider: Provider) -> dict[str, object]:
    """For the audit log, which masks what is sealed by its name, but tells that it changed."""
    return {
        "name": provider.name,
        "type": provider.type,
        **{f"configuration.{key}": value for key, value in provider.configuration.items()},
        "credentials": provider.sealed,
        "enabled": provider.is_enabled,
    }


def _other_place(old: Provider, new: Provider) -> bool:
    """Whether the secrets would be sent elsewhere than those meant who gave them."""
    keys = (old.configuration.keys() | new.configuration.keys()) - _HARMLESS
    return old.type != new.type or any(
        old.configuration.get(key) != new.configuration.get(key) for key in keys
    )


def _must_be_given_again(secrets: Mapping[str, object], given: Mapping[str, object]) -> None:
    missing = sorted(secrets.keys() - given.keys())
    if missing:
        rule = "must be given again where the configuration says anew where they are sent"
        raise wrong_fields((f"credentials.{key}", rule) for key in missing)


def _names_of(secrets: Mapping[str, object]) -> Iterator[str]:
    for key, value in secrets.items():
        if isinstance(value, Mapping) and value:
            yield from (f"{key}.{name}" for name in value)
        else:
            yield key


def _target(provider: Provider) -> Target:
    return Target("provider", provider.id)
