from adapters.dialects.cohere.dialect import CohereDialect
from adapters.dialects.fields import unsupported
from adapters.providers.cohere.embeddings import OWN as OWN_OF_EMBEDDINGS
from adapters.providers.cohere.embeddings import embed_answer, embed_body
from adapters.providers.cohere.ranking import OWN as OWN_OF_RANKINGS
from adapters.providers.cohere.ranking import rank_answer, rank_body
from adapters.providers.embedding_wire import EmbeddingWish
from adapters.providers.failures.openai import openai_failure
from adapters.providers.generation import (
    Generated,
    GenerationCall,
    GenerationProvider,
    GenerationStream,
)
from adapters.providers.http_client import MAX_ANSWER_BYTES, SSE, ProviderClient
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.http_generation import (
    HttpGenerationStream,
    read_generated,
    refuse_unstreamed,
)
from adapters.providers.rerank_wire import read_reranking
from adapters.providers.translation.token_count import estimate
from adapters.providers.transport.endpoint import Endpoint
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import StoaError

BASE_URL = "https://api.cohere.com"


class CohereProvider(ModelProvider, GenerationProvider):
    """Cohere's API: chats in its own format, embeddings and rerankings."""

    def __init__(self, *, name: str, http: HttpConfiguration) -> None:
        """Raises ``InvalidError`` for a URL or a header that cannot be sent."""
        key = http.api_key
        self._client = ProviderClient(
            name=name,
            transport=http.open_transport(),
            parse=openai_failure,
            credentials={"authorization": f"Bearer {key}"} if key else {},
            secrets=[key] if key else (),
            headers=http.headers,
            timeouts=http.timeouts,
        )
        self._dialect = CohereDialect(self._client.errors)
        self._patience = http.timeouts.first_byte
        base_url = http.base_url.removesuffix("/v2")
        self._chat = self._client.endpoint(f"{base_url}/v2/chat")
        self._chat_stream = self._client.endpoint(f"{base_url}/v2/chat", accept=SSE)
        self._embed = self._client.endpoint(f"{base_url}/v2/embed")
        self._rerank = self._client.endpoint(f"{base_url}/v2/rerank")

    async def generate(self, call: GenerationCall) -> Generated:
        body = self._dialect.write_request(call.request, call.asked.model)
        response = await self._client.send(self._chat, body, call.asked.correlation_id)
        return await read_generated(self._client, response, self._dialect)

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        body = self._dialect.write_request(call.request, call.asked.model)
        response = await self._client.send(self._chat_stream, body, call.asked.correlation_id)
        if not (response.header("content-type") or SSE).casefold().startswith(SSE):
            await refuse_unstreamed(self._client, response)
        return HttpGenerationStream(
            self._client,
            response,
            self._dialect.stream_reader(),
            patience=self._patience,
            prompt_tokens=estimate(call.request),
        )

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        if request.operation is Operation.EMBEDDING:
            return await self._answer_embedding(request)
        if request.operation is Operation.RERANK:
            return await self._answer_ranking(request)
        raise _no_way(request)

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        raise _no_way(request)

    async def start(self) -> None:
        """Nothing to get ready: connections are opened when they are needed."""

    async def stop(self) -> None:
        await self._client.aclose()

    async def _answer_embedding(self, request: ProviderRequest) -> ProviderAnswer:
        wish = EmbeddingWish.read(request.body, *OWN_OF_EMBEDDINGS)
        body = embed_body(wish, request.model.upstream_name, request.model.options)
        said, request_id = await self._ask(self._embed, request, body)
        return embed_answer(said, wish, request_id, self._client.errors)

    async def _answer_ranking(self, request: ProviderRequest) -> ProviderAnswer:
        asked = read_reranking(request, *OWN_OF_RANKINGS)
        body = rank_body(asked, request.model.upstream_name)
        said, request_id = await self._ask(self._rerank, request, body)
        return rank_answer(said, asked, request_id, self._client.errors)

    async def _ask(
        self, endpoint: Endpoint, request: ProviderRequest, body: bytes
    ) -> tuple[bytes, str | None]:
        response = await self._client.send(endpoint, body, request.correlation_id)
        request_id = self._client.request_id(response)
        try:
            return await response.read(MAX_ANSWER_BYTES), request_id
        except StoaError as error:
            error.provider_request_id = request_id
            raise


def _no_way(request: ProviderRequest) -> UnsupportedByModelError:
    return unsupported("model", f"Cohere has no '{request.operation.value}'")
