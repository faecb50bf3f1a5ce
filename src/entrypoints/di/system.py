from dishka import Provider, Scope, provide

from adapters.encryption.aes_gcm import AesGcmSecretBox
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from adapters.system.pauses import SystemPauses
from adapters.system.secrets import SystemSecrets
from application.inference.routing.ports import Pauses
from application.operations.ports import SecretBox
from application.shared.auditing import Auditor
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from entrypoints.settings import Settings


class SystemProvider(Provider):
    scope = Scope.APP

    clock = provide(SystemClock, provides=Clock)
    ids = provide(SystemIds, provides=IdGenerator)
    pauses = provide(SystemPauses, provides=Pauses)
    secrets = provide(SystemSecrets, provides=SecretGenerator)
    auditor = provide(Auditor)

    @provide
    def secret_box(self, settings: Settings) -> SecretBox:
        return AesGcmSecretBox(settings.secret_key, settings.secret_key_previous)
