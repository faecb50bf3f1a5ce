import asyncio
from typing import Any

import pytest

from application.inference.call_allowances import AllowanceCheck, CallAllowances
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import Operation, ProviderAnswer
from application.inference.stream_model import AnswerStream
from domain.inference.call import Call
from domain.models.served_model import ModelKind
from domain.shared.ids import CallId
from tests.builders import a_model, an_actor
from tests.fakes.clock import FrozenClock
from tests.fakes.data_plane import DataPlane
from tests.fakes.ids import uuid7_at
from tests.fakes.inference import InMemoryLedger
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.providers import RecordingProvider, ScriptedModelProviders, ScriptedProviderStream
from tests.fakes.runtime_settings import InMemoryRuntimeSettings

BODY = b'{"model":"large","messages":[{"role":"user","content":"hi"}]}'


class Scene:
    """The data plane on fakes: one provider, one ledger, and a model of every sort."""

    def __init__(self, *checks: AllowanceCheck) -> None:
        self.clock = FrozenClock()
        self.ledger = InMemoryLedger()
        self.provider = RecordingProvider()
        providers = ScriptedModelProviders(acme=self.provider)
        self.settings = InMemoryRuntimeSettings()
        catalog = InMemoryModelCatalog(
            a_model(name="large", aliases=("default",)),
            a_model(name="short", context_length=100),
            a_model(name="unpriced", prices=None),
            a_model(name="vectors", kind=ModelKind.EMBEDDING),
            a_model(name="misconfigured", provider="nowhere"),
        )
        plane = DataPlane(
            clock=self.clock,
            ledger=self.ledger,
            settings=self.settings,
            catalog=catalog,
            providers=providers,
        )
        plane.allowances = CallAllowances(checks)
        self.board, self.pauses, self.limits = plane.board, plane.pauses, plane.limits
        self.deployments = plane.deployments
        self._invoke, self._stream = plane.use_cases()

    async def invoke(self, **fields: Any) -> ProviderAnswer:
        return await self._invoke(a_command(**fields))

    async def stream(self, **fields: Any) -> AnswerStream:
        return await self._stream(a_command(stream=True, **fields))

    async def streamed(self, *steps: Any, **fields: Any) -> AnswerStream:
        """An admitted stream whose provider goes through the steps."""
        self.provider.stream = ScriptedProviderStream(*steps)
        return await self.stream(**fields)

    async def relayed(self, *steps: Any, **fields: Any) -> list[bytes]:
        """The blocks of such a stream, from its admission to its end."""
        return await relayed(await self.streamed(*steps, **fields))

    @property
    def row(self) -> Call:
        return self.ledger.the_row()


def a_command(**fields: Any) -> InvokeModelCommand:
    clock = FrozenClock()
    defaults: dict[str, Any] = {
        "actor": an_actor(),
        "call_id": CallId(uuid7_at(clock.now(), 7)),
        "correlation_id": "c-1",
        "operation": Operation.CHAT,
        "model": "large",
        "body": BODY,
    }
    return InvokeModelCommand(**(defaults | fields))


async def drained(stream: AnswerStream) -> list[bytes]:
    return [block async for block in stream]


async def relayed(stream: AnswerStream) -> list[bytes]:
    """Relay the stream as a door does: it is closed whatever happens."""
    try:
        return await drained(stream)
    finally:
        await stream.aclose()


async def cancelled(task: "asyncio.Task[Any]") -> None:
    """Cancel the task, and fail the test unless it obeys."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
