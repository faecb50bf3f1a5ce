import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from hashlib import sha256

from adapters.providers.definition import ProviderDefinition
from application.inference.keeping.ports import Whereabouts
from application.models.registry.ports import ProviderFollower, ProviderInUse
from domain.models.registry.provider import Provider
from domain.models.served_model import ServedModel
from domain.shared.ids import ProviderId, TeamId

# How patiently and over how many connections it is asked, its answer is the same.
_WITHOUT_EFFECT = frozenset({"max_connections", "timeouts", "transport"})


class ProviderIdentities(ProviderFollower, Whereabouts):
    """Stands before what runs the providers of registries, and knows all by their configuration."""

    def __init__(
        self, follower: ProviderFollower, configured: Iterable[ProviderDefinition] = ()
    ) -> None:
        self._follower = follower
        self._configured = {one.name: _hashed(_plain(one)) for one in configured}
        self._of_teams: dict[TeamId, dict[str, str]] = {}

    async def follow(self, registries: Mapping[TeamId, Sequence[ProviderInUse]]) -> None:
        await self._follower.follow(registries)
        for team_id, entries in registries.items():
            self._of_teams[team_id] = {one.provider.name: _of(one.provider) for one in entries}
            if not entries:
                del self._of_teams[team_id]

    def problem(self, provider_id: ProviderId) -> str | None:
        return self._follower.problem(provider_id)

    def identity(self, model: ServedModel) -> str:
        known = self._configured if model.owner is None else self._of_teams.get(model.owner, {})
        return known.get(model.provider, "")


def _of(provider: Provider) -> str:
    """Secrets count as they are sealed: it need not be known which they are."""
    sealed = "" if provider.sealed is None else provider.sealed.hex()
    return _hashed([str(provider.id), provider.type, provider.configuration, sealed])


def _plain(value: object) -> object:
    if is_dataclass(value):
        members = [one.name for one in fields(value) if one.name not in _WITHOUT_EFFECT]
        return {name: _plain(getattr(value, name)) for name in members}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return value


def _hashed(value: object) -> str:
    written = json.dumps(value, sort_keys=True, default=str)
    return sha256(written.encode()).hexdigest()
