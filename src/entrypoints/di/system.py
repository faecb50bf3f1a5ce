from dishka import Provider, Scope, provide

from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from adapters.system.secrets import SystemSecrets
from application.shared.ports import Clock, IdGenerator, SecretGenerator


class SystemProvider(Provider):
    scope = Scope.APP

    clock = provide(SystemClock, provides=Clock)
    ids = provide(SystemIds, provides=IdGenerator)
    secrets = provide(SystemSecrets, provides=SecretGenerator)
