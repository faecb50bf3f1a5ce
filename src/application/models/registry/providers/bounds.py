"""What who sets up a provider may say of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from application.models.registry.ports import CheckedConfiguration, ProviderConfigurations
from application.operations.ports import RuntimeSettings
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.models.registry.addresses import refusal
from domain.models.registry.errors import wrong_fields
from domain.models.registry.provider import Provider
from domain.operations.model_settings import ALLOW_PRIVATE_PROVIDERS
from domain.shared.errors import ForbiddenError


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBounds:
    configurations: ProviderConfigurations
    runtime: RuntimeSettings

    def checked(
        self,
        actor: Actor,
        type_name: str,
        name: str,
        given: Mapping[str, object],
        old: Provider | None,
    ) -> CheckedConfiguration:
        """``old`` is what stands there. Raises ``ForbiddenError`` for what concerns the machine of
        the server, before anything of that is looked at, and ``InvalidError``."""
        manages_server = actor.may(Permission.MANAGE_SERVER)
        if not manages_server:
            self._must_leave_the_server_alone(type_name, given, old)
        checked = self.configurations.check(type_name, name, given)
        allow_private = manages_server or self.runtime.get(ALLOW_PRIVATE_PROVIDERS)
        known = old.configuration if old is not None and old.may_reach_private else {}
        refused = [
            (f"configuration.{key}", why)
            for key, host in checked.addresses
            if (
                why := refusal(
                    host, allow_private=allow_private or given[key] == known.get(key, _NOTHING)
                )
            )
        ]
        if refused:
            raise wrong_fields(refused)
        return checked

    def _must_leave_the_server_alone(
        self, type_name: str, given: Mapping[str, object], old: Provider | None
    ) -> None:
        before = {} if old is None else {**old.configuration, "type": old.type}
        now = {**given, "type": type_name}
        keys = self.configurations.of_the_server(type_name, given)
        changed = [key for key in keys if before.get(key) != now[key]]
        if changed:
            told = ", ".join(f"'{key}'" for key in changed)
            raise ForbiddenError(
                f"Setting {told} concerns the machine of the server, which needs the permission"
                f" '{Permission.MANAGE_SERVER}'."
            )


def urls_in(configuration: Mapping[str, object]) -> dict[str, str]:
    """Where requests go, whole: another port of a host is another place."""
    return {
        key: value
        for key, value in configuration.items()
        if isinstance(value, str) and "://" in value
    }


_NOTHING = object()
