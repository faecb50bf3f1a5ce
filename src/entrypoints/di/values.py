from dishka import Provider, Scope

from adapters.catalog.definitions import LoadedCatalog
from domain.operations.runtime_setting import SettingRegistry
from domain.operations.runtime_settings import REGISTRY
from entrypoints.runtime_environment import RuntimeEnvironment
from entrypoints.settings import Settings


class ValuesProvider(Provider):
    """What was read before the container was made."""

    scope = Scope.APP

    def __init__(
        self, settings: Settings, catalog: LoadedCatalog, environment: RuntimeEnvironment
    ) -> None:
        super().__init__()
        self.provide(lambda: settings, provides=Settings)
        self.provide(lambda: catalog, provides=LoadedCatalog)
        self.provide(lambda: environment, provides=RuntimeEnvironment)
        self.provide(lambda: REGISTRY, provides=SettingRegistry)
