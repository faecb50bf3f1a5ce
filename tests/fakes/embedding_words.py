import json

from application.inference.ports import (
    ModelProvider,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from domain.inference.errors import UnsupportedByModelError
from tests.fakes.providers import USAGE


class WordVectors(ModelProvider):
    """Embeds a text as the counts of the words that it knows; ``answer`` is what it says instead,
    once it is set."""

    def __init__(self, *words: str) -> None:
        self.requests: list[ProviderRequest] = []
        self.answer: bytes | None = None
        self._words = words

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        self.requests.append(request)
        said = json.loads(request.body)["input"].split()
        vector = [said.count(word) for word in self._words]
        body = json.dumps({"model": request.model.name, "data": [{"embedding": vector}]}).encode()
        return ProviderAnswer(body=body if self.answer is None else self.answer, usage=USAGE)

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        raise UnsupportedByModelError("Vectors come in one piece.")

    async def start(self) -> None:
        """Nothing to get ready."""

    async def stop(self) -> None:
        """Nothing to free."""
