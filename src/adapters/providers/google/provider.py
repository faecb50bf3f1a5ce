from collections.abc import Callable
from functools import partial

from adapters.dialects.failures import Failures
from adapters.dialects.fields import unsupported
from adapters.dialects.google.dialect import GoogleDialect
from adapters.dialects.openai_chat.words import NAME as OPENAI_CHAT
from adapters.providers.embedding_wire import EmbeddingWish
from adapters.providers.failures.google import google_failure
from adapters.providers.generation import (
    Generated,
    GenerationCall,
    GenerationProvider,
    GenerationStream,
)
from adapters.providers.google.embeddings import OWN, batch_answer, batch_body
from adapters.providers.google.paths import resource
from adapters.providers.google.token_count import count_answer, count_body
from adapters.providers.http_client import JSON, MAX_ANSWER_BYTES, SSE, ProviderClient
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.http_generation import (
    HttpGenerationStream,
    read_generated,
    refuse_unstreamed,
)
from adapters.providers.translation.token_count import estimate
from adapters.providers.transport.endpoint import Endpoint
from adapters.providers.transport.transport import UpstreamResponse
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import StoaError

BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
_WHOLE, _STREAM = ":generateContent", ":streamGenerateContent?alt=sse"
_EMBED, _COUNT = ":batchEmbedContents", ":countTokens"


class GoogleProvider(ModelProvider, GenerationProvider):
    """Google's Gemini API: chats in its own format, embeddings, and the tokens of Anthropic's
    messages."""

    def __init__(self, *, name: str, http: HttpConfiguration) -> None:
        """Raises ``InvalidError`` for a URL or a header that cannot be sent."""
        self._base_url = http.base_url
        self._patience = http.timeouts.first_byte
        self._client = ProviderClient(
            name=name,
            transport=http.open_transport(),
            parse=google_failure,
            credentials={"x-goog-api-key": http.api_key} if http.api_key else {},
            secrets=[http.api_key] if http.api_key else (),
            headers=http.headers,
            timeouts=http.timeouts,
        )
        self._endpoints: dict[tuple[str, str], Endpoint] = {}

    async def generate(self, call: GenerationCall) -> Generated:
        dialect = self._dialect(call)
        body = dialect.write_request(call.request, call.asked.model)
        response = await self._send(call.asked, _WHOLE, body)
        return await read_generated(self._client, response, dialect)

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        dialect = self._dialect(call)
        body = dialect.write_request(call.request, call.asked.model)
        response = await self._send(call.asked, _STREAM, body)
        if not (response.header("content-type") or SSE).casefold().startswith(SSE):
            await refuse_unstreamed(self._client, response)
        return HttpGenerationStream(
            self._client,
            response,
            dialect.stream_reader(),
            patience=self._patience,
            prompt_tokens=estimate(call.request),
        )

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        if request.operation is Operation.EMBEDDING:
            wish = EmbeddingWish.read(request.body, *OWN)
            body = batch_body(wish, request.model.upstream_name)
            return await self._ask(request, _EMBED, body, partial(batch_answer, wish))
        if request.operation is Operation.COUNT_TOKENS:
            dialect = GoogleDialect(self._client.errors)
            return await self._ask(request, _COUNT, count_body(request, dialect), count_answer)
        raise _no_way(request)

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        raise _no_way(request)

    async def start(self) -> None:
        """Nothing to get ready: connections are opened when they are needed."""

    async def stop(self) -> None:
        await self._client.aclose()

    async def _ask(
        self,
        request: ProviderRequest,
        verb: str,
        body: bytes,
        read: Callable[[bytes, str | None, Failures], ProviderAnswer],
    ) -> ProviderAnswer:
        response = await self._send(request, verb, body)
        request_id = self._client.request_id(response)
        try:
            return read(await response.read(MAX_ANSWER_BYTES), request_id, self._client.errors)
        except StoaError as error:
            error.provider_request_id = request_id
            raise

    def _dialect(self, call: GenerationCall) -> GoogleDialect:
        # Only OpenAI's chats have a place for the signature of a call.
        return GoogleDialect(self._client.errors, signs_apart=call.request.dialect != OPENAI_CHAT)

    async def _send(self, request: ProviderRequest, verb: str, body: bytes) -> UpstreamResponse:
        model = request.model.upstream_name
        endpoint = self._endpoints.get((model, verb))
        if endpoint is None:
            endpoint = self._client.endpoint(
                f"{self._base_url}/{resource(model)}{verb}",
                accept=SSE if verb is _STREAM else JSON,
            )
            self._endpoints[model, verb] = endpoint
        return await self._client.send(endpoint, body, request.correlation_id)


def _no_way(request: ProviderRequest) -> UnsupportedByModelError:
    return unsupported("model", f"Google has no '{request.operation.value}'")
