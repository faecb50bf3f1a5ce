from dataclasses import dataclass, replace

from application.operations.ports import Sealed, SecretBox, SettingsUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ReencryptSecrets:
    """Encrypts every stored secret of the server and of all teams, those of providers included,
    with the present secret key, so that the previous one can be forgotten. Answers how many it
    changed."""

    uow: SettingsUnitOfWork
    secrets: SecretBox
    auditor: Auditor

    async def __call__(self, actor: Actor) -> int:
        actor.require(Permission.MANAGE_SERVER)
        changed = 0
        async with self.uow as tx:
            for stored in await tx.settings.secrets():
                if not isinstance(stored.value, Sealed) or self.secrets.is_current(stored.value):
                    continue
                secret = self.secrets.open(stored.value, place=stored.place)
                sealed = self.secrets.seal(secret, place=stored.place)
                await tx.settings.put(replace(stored, value=sealed))
                changed += 1
            for credentials in await tx.credentials.all():
                if not self.secrets.is_current(credentials.sealed):
                    secret = self.secrets.open(credentials.sealed, place=credentials.place)
                    sealed = self.secrets.seal(secret, place=credentials.place)
                    await tx.credentials.put(replace(credentials, sealed=sealed))
                    changed += 1
            if changed:
                await self.auditor.record(
                    tx,
                    actor,
                    "secrets.reencrypted",
                    Target("server", "secrets"),
                    after={"count": changed},
                )
            await tx.commit()
        return changed
