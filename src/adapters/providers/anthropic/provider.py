from fnmatch import fnmatchcase
from typing import NoReturn

import msgspec

from adapters.providers.anthropic.scanner import MessagesScanner
from adapters.providers.anthropic.wire import whole_answer
from adapters.providers.failures.anthropic import anthropic_failure
from adapters.providers.http_client import JSON, MAX_ANSWER_BYTES, SSE, ProviderClient
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.openai_compatible.request import UpstreamBody, renamed, tokens_in
from adapters.providers.openai_compatible.stream import OpenAICompatibleStream
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

VERSION = "2023-06-01"
OPERATIONS = frozenset({Operation.MESSAGES, Operation.COUNT_TOKENS})


class AnthropicProvider(ModelProvider):
    """Anthropic's Messages API.

    Requests go out as they came but for the model's name; answers come back as they are but for
    that name. Of the features that a client asks for in ``anthropic-beta``, those go out that one
    of the patterns in ``betas`` lets through.
    """

    def __init__(self, *, name: str, http: HttpConfiguration, betas: tuple[str, ...]) -> None:
        """Raises ``InvalidError`` for a URL or a header that cannot be sent."""
        self._name = name
        self._betas = betas
        self._client = ProviderClient(
            name=name,
            transport=http.open_transport(),
            parse=anthropic_failure,
            credentials={
                **({"x-api-key": http.api_key} if http.api_key else {}),
                "anthropic-version": VERSION,
            },
            secrets=[http.api_key] if http.api_key else (),
            headers=http.headers,
            timeouts=http.timeouts,
            request_id_header="request-id",
        )
        base = http.base_url if http.base_url.endswith("/v1") else f"{http.base_url}/v1"
        self._endpoints: dict[tuple[Operation, bool], Endpoint] = {
            (operation, stream): self._client.endpoint(
                f"{base}/{operation}", accept=SSE if stream else JSON
            )
            for operation in OPERATIONS
            for stream in (False, True)
        }

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        sent = _upstream_body(request)
        _, response = await self._send(request, sent)
        request_id = self._client.request_id(response)
        try:
            body = await response.read(MAX_ANSWER_BYTES)
            return whole_answer(body, request, sent, request_id, self._client.errors)
        except StoaError as error:
            error.provider_request_id = request_id
            raise

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        sent = _upstream_body(request)
        endpoint, response = await self._send(request, sent)
        if not (response.header("content-type") or SSE).casefold().startswith(SSE):
            await self._refuse_unstreamed(request, sent, response)
        scanner = MessagesScanner(
            self._client.errors,
            upstream_name=request.model.upstream_name,
            public_name=sent.public_name,
        )
        return OpenAICompatibleStream(
            response,
            scanner,
            endpoint=endpoint,
            prompt_tokens=sent.prompt_tokens,
            request_id=self._client.request_id(response),
        )

    async def start(self) -> None:
        """Nothing to get ready: connections are opened when they are needed."""

    async def stop(self) -> None:
        await self._client.aclose()

    async def _send(
        self, request: ProviderRequest, sent: UpstreamBody
    ) -> tuple[Endpoint, UpstreamResponse]:
        endpoint = self._endpoints.get((request.operation, request.stream))
        if endpoint is None:
            raise UnsupportedByModelError(
                f"The provider '{self._name}' does not offer '{request.operation}'.", param="model"
            )
        wanted = [name for name in request.features if self._lets_through(name)]
        headers = (("anthropic-beta", ",".join(wanted)),) if wanted else ()
        response = await self._client.send(endpoint, sent.body, request.correlation_id, headers)
        return endpoint, response

    def _lets_through(self, feature: str) -> bool:
        return any(fnmatchcase(feature, pattern) for pattern in self._betas)

    async def _refuse_unstreamed(
        self, request: ProviderRequest, sent: UpstreamBody, response: UpstreamResponse
    ) -> NoReturn:
        error: StoaError = self._client.errors.no_answer("did not answer with a stream of events")
        request_id = self._client.request_id(response)
        try:
            body = await response.read(MAX_ANSWER_BYTES)
            whole_answer(body, request, sent, request_id, self._client.errors)
        except StoaError as failure:
            error = failure
        await response.aclose()
        error.provider_request_id = request_id
        raise error


def _upstream_body(request: ProviderRequest) -> UpstreamBody:
    members, public_name = renamed(request)
    if request.stream:
        members["stream"] = msgspec.Raw(b"true")
    elif "stream" in members:
        members["stream"] = msgspec.Raw(b"false")
    prompt = sum(
        memoryview(members[name]).nbytes
        for name in ("system", "messages", "tools")
        if name in members
    )
    return UpstreamBody(msgspec.json.encode(members), public_name, tokens_in(prompt))
