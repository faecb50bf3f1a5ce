from adapters.dialects.fields import unsupported
from adapters.dialects.ollama.dialect import OllamaDialect
from adapters.dialects.ollama.request import KEEP_ALIVE, own_options
from adapters.providers.embedding_wire import EmbeddingWish
from adapters.providers.failures.openai import openai_failure
from adapters.providers.generation import (
    Generated,
    GenerationCall,
    GenerationProvider,
    GenerationStream,
)
from adapters.providers.http_client import MAX_ANSWER_BYTES, ProviderClient
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.http_generation import HttpGenerationStream, read_generated
from adapters.providers.ollama.embeddings import embed_answer, embed_body
from adapters.providers.translation.token_count import estimate
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from domain.inference.errors import UnsupportedByModelError

BASE_URL = "http://127.0.0.1:11434"
_NDJSON = "application/x-ndjson"


class OllamaProvider(ModelProvider, GenerationProvider):
    """Ollama's own API: chats and embeddings. A model that is not in memory is loaded while the
    first call waits for its first byte."""

    def __init__(
        self, *, name: str, http: HttpConfiguration, keep_alive: str | int | None = None
    ) -> None:
        """Raises ``InvalidError`` for a URL or a header that cannot be sent."""
        key = http.api_key
        self._keep_alive = keep_alive
        self._patience = http.timeouts.first_byte
        self._client = ProviderClient(
            name=name,
            transport=http.open_transport(),
            parse=openai_failure,
            credentials={"authorization": f"Bearer {key}"} if key else {},
            secrets=[key] if key else (),
            headers=http.headers,
            timeouts=http.timeouts,
        )
        self._dialect = OllamaDialect(self._client.errors, keep_alive)
        base_url = http.base_url.removesuffix("/api")
        self._chat = self._client.endpoint(f"{base_url}/api/chat")
        self._chat_stream = self._client.endpoint(f"{base_url}/api/chat", accept=_NDJSON)
        self._embed = self._client.endpoint(f"{base_url}/api/embed")

    async def generate(self, call: GenerationCall) -> Generated:
        body = self._dialect.write_request(call.request, call.asked.model)
        response = await self._client.send(self._chat, body, call.asked.correlation_id)
        return await read_generated(self._client, response, self._dialect)

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        body = self._dialect.write_request(call.request, call.asked.model)
        response = await self._client.send(self._chat_stream, body, call.asked.correlation_id)
        return HttpGenerationStream(
            self._client,
            response,
            self._dialect.stream_reader(),
            patience=self._patience,
            prompt_tokens=estimate(call.request),
        )

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        if request.operation is not Operation.EMBEDDING:
            raise _no_way(request)
        wish = EmbeddingWish.read(request.body)
        body = embed_body(
            wish,
            request.model.upstream_name,
            options=own_options(request.model),
            keep_alive=request.model.options.get(KEEP_ALIVE, self._keep_alive),
        )
        response = await self._client.send(self._embed, body, request.correlation_id)
        said = await response.read(MAX_ANSWER_BYTES)
        return embed_answer(said, wish, self._client.request_id(response), self._client.errors)

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        raise _no_way(request)

    async def start(self) -> None:
        """Nothing to get ready: connections are opened when they are needed."""

    async def stop(self) -> None:
        await self._client.aclose()


def _no_way(request: ProviderRequest) -> UnsupportedByModelError:
    return unsupported("model", f"Ollama has no '{request.operation.value}'")
