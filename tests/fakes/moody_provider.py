from collections import deque

from application.inference.ports import (
    ModelProvider,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from tests.fakes.gate import Gate
from tests.fakes.providers import DONE, USAGE, ScriptedProviderStream

Mood = Exception | Gate | ScriptedProviderStream


class MoodyProvider(ModelProvider):
    """Each call takes the next mood: an error is raised, a gate is waited at before the next mood
    counts, a stream is what is streamed. Without any left it answers with its name. Every request
    is kept."""

    def __init__(self, name: str, *moods: Mood) -> None:
        self.name = name
        self.moods = deque(moods)
        self.requests: list[ProviderRequest] = []
        self.streams: list[ScriptedProviderStream] = []

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        self.requests.append(request)
        await self._feel()
        return ProviderAnswer(body=self.name.encode(), usage=USAGE, finish_reason="stop")

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        self.requests.append(request)
        stream = await self._feel()
        if stream is None:
            stream = ScriptedProviderStream(self.name.encode(), DONE)
        self.streams.append(stream)
        return stream

    async def start(self) -> None:
        """Nothing to get ready."""

    async def stop(self) -> None:
        """Nothing to free."""

    async def _feel(self) -> ScriptedProviderStream | None:
        while self.moods:
            mood = self.moods.popleft()
            if isinstance(mood, Gate):
                await mood.passed()
            elif isinstance(mood, Exception):
                raise mood
            else:
                return mood
        return None
