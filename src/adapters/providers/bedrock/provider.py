from functools import partial
from urllib.parse import quote, urlsplit

from adapters.dialects.bedrock.blocks import makers_of_thoughts
from adapters.dialects.bedrock.dialect import BedrockDialect
from adapters.dialects.bedrock.families import family_of
from adapters.dialects.dialects import DIALECTS
from adapters.dialects.fields import unsupported
from adapters.providers.bedrock.embeddings import OWN, Invoked, embed
from adapters.providers.bedrock.signing import AwsCredentials, Signer
from adapters.providers.bedrock.token_count import (
    count_answer,
    count_body,
    counted_model,
    read_count,
)
from adapters.providers.embedding_wire import EmbeddingWish
from adapters.providers.failures.amazon import amazon_failure
from adapters.providers.generation import (
    Generated,
    GenerationCall,
    GenerationProvider,
    GenerationStream,
)
from adapters.providers.http_client import JSON, MAX_ANSWER_BYTES, ProviderClient
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
from application.shared.ports import Clock
from domain.inference.errors import (
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRejectedError,
    UnsupportedByModelError,
)
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError

EVENT_STREAM = "application/vnd.amazon.eventstream"
_WHOLE, _STREAM, _INVOKE, _COUNT = "converse", "converse-stream", "invoke", "count-tokens"
_INPUT_TOKENS = "x-amzn-bedrock-input-token-count"


class BedrockProvider(ModelProvider, GenerationProvider):
    """Amazon Bedrock: chats by ``Converse``, and the embeddings of Titan and Cohere.

    Requests are signed with ``credentials``, or have ``http.api_key`` as a bearer token.
    """

    def __init__(
        self,
        *,
        name: str,
        region: str,
        http: HttpConfiguration,
        credentials: AwsCredentials | None,
        clock: Clock,
    ) -> None:
        """Raises ``InvalidError`` for a URL or a header that cannot be sent."""
        self._base_url = http.base_url
        self._patience = http.timeouts.first_byte
        self._clock = clock
        self._signer: Signer | None = None
        if credentials is not None:
            self._signer = Signer(credentials=credentials, region=region, service="bedrock")
        key = http.api_key if credentials is None else None
        self._client = ProviderClient(
            name=name,
            transport=http.open_transport(),
            parse=amazon_failure,
            credentials={"authorization": f"Bearer {key}"} if key else {},
            secrets=[*([key] if key else ()), *(credentials.secrets if credentials else ())],
            headers=http.headers,
            timeouts=http.timeouts,
            request_id_header="x-amzn-requestid",
        )
        self._endpoints: dict[tuple[str, str], Endpoint] = {}

    async def generate(self, call: GenerationCall) -> Generated:
        dialect = self._dialect(call.asked.model)
        body = dialect.write_request(call.request, call.asked.model)
        response = await self._send(call.asked, _WHOLE, body)
        return await read_generated(self._client, response, dialect)

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        dialect = self._dialect(call.asked.model)
        body = dialect.write_request(call.request, call.asked.model)
        response = await self._send(call.asked, _STREAM, body)
        content_type = response.header("content-type") or EVENT_STREAM
        if not content_type.casefold().startswith(EVENT_STREAM):
            await refuse_unstreamed(self._client, response)
        return HttpGenerationStream(
            self._client,
            response,
            dialect.stream_reader(),
            patience=self._patience,
            prompt_tokens=estimate(call.request),
        )

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        if request.operation is Operation.COUNT_TOKENS:
            return await self._count(request)
        if request.operation is not Operation.EMBEDDING:
            raise _no_way(request)
        wish = EmbeddingWish.read(request.body, *OWN)
        return await embed(
            wish,
            request.model.upstream_name,
            partial(self._invoke, request),
            self._client.errors,
        )

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        raise _no_way(request)

    async def start(self) -> None:
        """Nothing to get ready: connections are opened when they are needed."""

    async def stop(self) -> None:
        await self._client.aclose()

    def _dialect(self, model: ServedModel) -> BedrockDialect:
        return BedrockDialect(self._client.errors, makers_of_thoughts(family_of(model)))

    async def _count(self, request: ProviderRequest) -> ProviderAnswer:
        """By estimate, where Bedrock does not count for that model, or not for these
        credentials."""
        asked = DIALECTS[Operation.MESSAGES].read_request(request.body)
        body = count_body(asked, request.model, self._dialect(request.model))
        try:
            response = await self._send(request, _COUNT, body, counted_model(request.model))
            said = await response.read(MAX_ANSWER_BYTES)
        except (ProviderRejectedError, ProviderCredentialsError):
            return count_answer(estimate(asked))
        except ProviderFailedError as error:
            if error.may_pass:
                raise
            return count_answer(estimate(asked))
        return count_answer(
            read_count(said, self._client.errors), self._client.request_id(response)
        )

    async def _invoke(self, request: ProviderRequest, body: bytes) -> Invoked:
        response = await self._send(request, _INVOKE, body)
        request_id = self._client.request_id(response)
        try:
            said = await response.read(MAX_ANSWER_BYTES)
        except StoaError as error:
            error.provider_request_id = request_id
            raise
        tokens = response.header(_INPUT_TOKENS) or ""
        return Invoked(said, int(tokens) if tokens.isdecimal() else None, request_id)

    async def _send(
        self, request: ProviderRequest, verb: str, body: bytes, model: str | None = None
    ) -> UpstreamResponse:
        model = model or request.model.upstream_name
        endpoint = self._endpoints.get((model, verb))
        if endpoint is None:
            endpoint = self._client.endpoint(
                f"{self._base_url}/model/{quote(model, safe='')}/{verb}",
                accept=EVENT_STREAM if verb == _STREAM else JSON,
            )
            self._endpoints[model, verb] = endpoint
        signed = self._signed(endpoint, body)
        return await self._client.send(endpoint, body, request.correlation_id, signed)

    def _signed(self, endpoint: Endpoint, body: bytes) -> tuple[tuple[str, str], ...]:
        if self._signer is None:
            return ()
        headers = {"host": endpoint.origin.shown, "content-type": JSON}
        path = urlsplit(endpoint.url).path
        return self._signer.headers(path, headers, body, self._clock.now())


def _no_way(request: ProviderRequest) -> UnsupportedByModelError:
    return unsupported("model", f"Bedrock has no '{request.operation.value}' here")
