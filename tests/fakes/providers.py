from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from application.inference.ports import (
    ModelProvider,
    ModelProviders,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
    StreamReport,
)
from domain.models.served_model import ServedModel
from domain.shared.usage import Usage
from tests.fakes.gate import Gate

DONE = b"data: [DONE]\n\n"
USAGE = Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=5, reasoning_tokens=1)

Step = bytes | Exception | Gate


class Transactional(Protocol):
    @property
    def is_open(self) -> bool: ...


class ScriptedProviderStream(ProviderStream):
    """Yields the bytes, raises the errors and waits at the gates that it is given, in order.

    While it goes on, the report says ``reported``, or else counts a token for each block; at its
    end it says ``usage``. ``closing`` holds up whoever closes it.
    """

    def __init__(self, *steps: Step, usage: Usage = USAGE, reported: Usage | None = None) -> None:
        self.closes = 0
        self.closing = Gate()
        self._steps = deque(steps)
        self._usage = usage
        self._report = StreamReport(
            usage=reported or Usage(counted=True), provider_request_id="req-1"
        )

    @property
    def report(self) -> StreamReport:
        return self._report

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while self._steps:
            step = self._steps[0]
            if isinstance(step, Exception):
                # Whoever tries again fails again.
                raise step
            self._steps.popleft()
            if isinstance(step, Gate):
                await step.passed()
            else:
                self._count()
                return step
        self._report.usage = self._usage
        self._report.finish_reason = "stop"
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closes += 1
        await self.closing.passed()

    def _count(self) -> None:
        if not self._report.usage.counted:
            return
        blocks = self._report.usage.completion_tokens + 1
        self._report.usage = Usage(completion_tokens=blocks, counted=True)


class RecordingProvider(ModelProvider):
    """Answers with what it was told last and keeps every request.

    ``working`` holds it up or makes it fail. Being called while one of the given units of work is
    open fails the test.
    """

    def __init__(self, *units_of_work: Transactional) -> None:
        self.requests: list[ProviderRequest] = []
        self.working = Gate()
        self.answer = ProviderAnswer(
            body=b'{"choices":[]}',
            usage=USAGE,
            finish_reason="stop",
            provider_request_id="req-1",
        )
        self.stream = ScriptedProviderStream(b"data: {}\n\n", DONE)
        self.running = False
        self._units_of_work = units_of_work

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        await self._work_on(request)
        return self.answer

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        await self._work_on(request)
        return self.stream

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    async def _work_on(self, request: ProviderRequest) -> None:
        assert not any(uow.is_open for uow in self._units_of_work), "called inside a unit of work"
        self.requests.append(request)
        await self.working.passed()


class ScriptedModelProviders(ModelProviders):
    def __init__(self, **providers: ModelProvider) -> None:
        self._providers = providers

    def get(self, model: ServedModel) -> ModelProvider:
        return self._providers[model.provider]
