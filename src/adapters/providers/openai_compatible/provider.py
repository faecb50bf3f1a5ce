from collections.abc import Mapping
from typing import NoReturn

from adapters.providers.failures.openai import openai_failure
from adapters.providers.http_client import JSON, MAX_ANSWER_BYTES, SSE, ProviderClient
from adapters.providers.openai_compatible.answer import decoded, whole_answer
from adapters.providers.openai_compatible.request import UpstreamBody, upstream_body
from adapters.providers.openai_compatible.scanner import StreamScanner
from adapters.providers.openai_compatible.stream import OpenAICompatibleStream
from adapters.providers.transport.endpoint import Endpoint, Timeouts
from adapters.providers.transport.transport import Transport, UpstreamResponse
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from domain.shared.errors import StoaError


class OpenAICompatibleProvider(ModelProvider):
    """Any server that speaks OpenAI's dialect.

    Requests go out as they came but for the model's name and the wish for usage; answers come back
    as they are but for that name. ``headers`` win over the provider's own. The transport belongs
    to the provider, which closes it.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        api_key: str | None,
        transport: Transport,
        timeouts: Timeouts | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Raises ``InvalidError`` for a URL or a header that cannot be sent."""
        self._client = ProviderClient(
            name=name,
            transport=transport,
            parse=openai_failure,
            credentials={"authorization": f"Bearer {api_key}"} if api_key else {},
            secrets=[api_key] if api_key else (),
            headers=headers,
            timeouts=timeouts,
        )
        self._errors = self._client.errors
        self._endpoints = {
            (operation, stream): self._client.endpoint(
                _join(base_url, operation), accept=SSE if stream else JSON
            )
            for operation in Operation
            for stream in (False, True)
        }

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        sent = upstream_body(request)
        _, response = await self._send(request, sent)
        request_id = self._client.request_id(response)
        try:
            return whole_answer(
                await response.read(MAX_ANSWER_BYTES),
                sent,
                upstream_name=request.model.upstream_name,
                request_id=request_id,
                errors=self._errors,
            )
        except StoaError as error:
            error.provider_request_id = request_id
            raise

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        sent = upstream_body(request)
        endpoint, response = await self._send(request, sent)
        content_type = (response.header("content-type") or SSE).casefold()
        if not content_type.startswith(SSE):
            await self._refuse_unstreamed(response, content_type)
        names = request.model.upstream_name, sent.public_name
        scanner = StreamScanner(
            self._errors,
            names=None if names[0] == names[1] else names,
            include_usage=request.include_usage,
        )
        return OpenAICompatibleStream(
            response, scanner, endpoint=endpoint, prompt_tokens=sent.prompt_tokens
        )

    async def start(self) -> None:
        """Nothing to get ready: connections are opened when they are needed."""

    async def stop(self) -> None:
        await self._client.aclose()

    async def _send(
        self, request: ProviderRequest, sent: UpstreamBody
    ) -> tuple[Endpoint, UpstreamResponse]:
        endpoint = self._endpoints[request.operation, request.stream]
        return endpoint, await self._client.send(endpoint, sent.body, request.correlation_id)

    async def _refuse_unstreamed(self, response: UpstreamResponse, content_type: str) -> NoReturn:
        error: StoaError = self._errors.no_answer("did not answer with a stream of events")
        try:
            if content_type.startswith(JSON):
                body = await response.read(MAX_ANSWER_BYTES)
                if decoded(body, self._errors).failed:
                    error = self._errors.of_body(body)
        except StoaError as failure:
            error = failure
        await response.aclose()
        error.provider_request_id = self._client.request_id(response)
        raise error


def _join(base_url: str, operation: Operation) -> str:
    """The query of a base URL (Azure's ``api-version``) goes behind the operation's path."""
    path, mark, query = base_url.partition("?")
    return f"{path.rstrip('/')}/{operation.value}{mark}{query}"
