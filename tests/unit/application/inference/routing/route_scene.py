from decimal import Decimal
from itertools import count
from typing import Any

from application.inference.call_allowances import AllowanceCheck, CallAllowances
from application.inference.call_trace import CallTrace
from application.inference.interception import Interceptor
from application.inference.ports import ProviderAnswer
from application.inference.stream_model import AnswerStream
from domain.inference.call import Call
from domain.models.prices import Prices
from domain.models.route import RetryPolicy, Route, Target
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.ids import CallId
from tests.builders import a_call, a_model
from tests.fakes.clock import START, FrozenClock
from tests.fakes.data_plane import DataPlane
from tests.fakes.ids import uuid7_at
from tests.fakes.inference import InMemoryLedger
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.moody_provider import Mood, MoodyProvider
from tests.fakes.providers import ScriptedModelProviders
from tests.fakes.routing import InMemoryDeploymentBoard
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.unit.application.inference.scene import a_command, relayed

_calls = count(1)


def a_target(name: str, **fields: Any) -> ServedModel:
    """A model with a provider of its own that has its name; ``dollars`` is its price per token."""
    dollars = fields.pop("dollars", 1)
    prices = Prices(input=Decimal(dollars), output=Decimal(dollars))
    defaults = {"provider": name, "upstream_name": "x", "prices": prices}
    return a_model(name=name, **(defaults | fields))


def a_route(*targets: str | Target, **fields: Any) -> Route:
    named = tuple(Target(model=one) if isinstance(one, str) else one for one in targets)
    defaults: dict[str, Any] = {
        "name": "route",
        "kind": ModelKind.CHAT,
        "targets": named,
        "retry": RetryPolicy(attempts=5),
    }
    return Route(**(defaults | fields))


class RouteScene:
    """The data plane over some models, each with a provider of its own, and the routes over
    them."""

    def __init__(
        self,
        *entries: ServedModel | Route,
        checks: tuple[AllowanceCheck, ...] = (),
        interceptors: tuple[Interceptor, ...] = (),
        board: InMemoryDeploymentBoard | None = None,
    ) -> None:
        models = [one for one in entries if isinstance(one, ServedModel)]
        routes = [one for one in entries if isinstance(one, Route)]
        self.clock, self.ledger = FrozenClock(), InMemoryLedger()
        self.settings = InMemoryRuntimeSettings()
        self.providers = {one.provider: MoodyProvider(one.provider) for one in models}
        self.plane = DataPlane(
            clock=self.clock,
            ledger=self.ledger,
            settings=self.settings,
            catalog=InMemoryModelCatalog(*models, routes=routes),
            providers=ScriptedModelProviders(**self.providers),
            board=board,
        )
        self.plane.allowances = CallAllowances(checks)
        self.plane.interceptors = interceptors
        self.trace = CallTrace()
        self.row: Call = a_call()
        self._invoke, self._stream = self.plane.use_cases()

    def feel(self, **moods: Mood | tuple[Mood, ...]) -> None:
        """What the providers are going to do."""
        for name, mood in moods.items():
            self.providers[name].moods.extend(mood if isinstance(mood, tuple) else (mood,))

    def asked(self) -> dict[str, int]:
        """How often each provider was asked that was asked at all."""
        asked = {name: len(provider.requests) for name, provider in self.providers.items()}
        return {name: times for name, times in asked.items() if times}

    async def ask(self, model: str = "route", **fields: Any) -> str:
        """The name of the model that answers."""
        answer = await self.invoke(model, **fields)
        return answer.body.decode()

    async def invoke(self, model: str = "route", **fields: Any) -> ProviderAnswer:
        command = self._command(model, fields)
        try:
            return await self._invoke(command)
        finally:
            self.row = self.ledger.rows.calls[command.call_id]

    async def stream(self, model: str = "route", **fields: Any) -> AnswerStream:
        command = self._command(model, {"stream": True, **fields})
        try:
            return await self._stream(command)
        finally:
            self.row = self.ledger.rows.calls[command.call_id]

    async def relay(self, model: str = "route", **fields: Any) -> list[bytes]:
        stream = await self.stream(model, **fields)
        try:
            return await relayed(stream)
        finally:
            self.row = self.ledger.rows.calls[self.row.id]

    @property
    def tried(self) -> list[tuple[str, str]]:
        """The attempts of the latest call: deployment and outcome."""
        return [(one.deployment.removesuffix("/x"), one.outcome) for one in self.row.attempts]

    def _command(self, model: str, fields: dict[str, Any]) -> Any:
        self.trace = CallTrace()
        call_id = CallId(uuid7_at(START, 1000 + next(_calls)))
        return a_command(**({"model": model, "call_id": call_id, "trace": self.trace} | fields))
