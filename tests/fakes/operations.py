from copy import deepcopy

from application.operations.ports import (
    CallObserver,
    ComponentHealth,
    DatabaseServer,
    HealthProbe,
)
from domain.inference.call import Call
from tests.fakes.gate import Gate


class RecordingDatabaseServer(DatabaseServer):
    """Says that a server is there and remembers who asked for it."""

    def __init__(self, url: str = "postgresql://stoa@127.0.0.1:5432/stoa") -> None:
        self.url = url
        self.starts = 0
        self.running = False
        self.starting = Gate()

    async def start(self) -> str:
        self.starts += 1
        await self.starting.passed()
        self.running = True
        return self.url

    async def stop(self) -> None:
        self.running = False


class ScriptedHealthProbe(HealthProbe):
    """Reports what it is told to; ``looking`` holds it up or makes it fail."""

    def __init__(self, name: str, health: ComponentHealth | None = None) -> None:
        self._name = name
        self.health = health or ComponentHealth()
        self.looks = 0
        self.looking = Gate()

    @property
    def name(self) -> str:
        return self._name

    async def check(self) -> ComponentHealth:
        self.looks += 1
        await self.looking.passed()
        return self.health


class RecordingCallObserver(CallObserver):
    """Keeps a copy of every outcome, in order."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def observe(self, call: Call) -> None:
        self.calls.append(deepcopy(call))
