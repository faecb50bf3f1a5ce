from collections.abc import Mapping
from importlib.metadata import version
from typing import NoReturn

from adapters.providers.openai_compatible.answer import decoded, whole_answer
from adapters.providers.openai_compatible.errors import ErrorMapping
from adapters.providers.openai_compatible.request import UpstreamBody, upstream_body
from adapters.providers.openai_compatible.scanner import StreamScanner
from adapters.providers.openai_compatible.stream import OpenAICompatibleStream
from adapters.providers.transport.endpoint import Endpoint, Timeouts
from adapters.providers.transport.transport import Transport, UpstreamRequest, UpstreamResponse
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from domain.shared.errors import InvalidError, StoaError

MAX_ANSWER_BYTES = 64 * 1024 * 1024
_MAX_ERROR_BYTES = 256 * 1024
_MIN_SECRET_HEADER = 8
_REQUEST_ID = "x-request-id"
_JSON, _SSE = "application/json", "text/event-stream"
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect"})


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
        extra = {key.lower(): value for key, value in (headers or {}).items()}
        reserved = _OURS.intersection(extra)
        if reserved:
            raise InvalidError(
                f"The header '{min(reserved)}' is set by the gateway itself.", param="headers"
            )
        secrets = [value for value in extra.values() if len(value) >= _MIN_SECRET_HEADER]
        self._transport = transport
        self._errors = ErrorMapping(name, [*secrets, api_key] if api_key else secrets)
        sent = {
            "content-type": _JSON,
            "accept-encoding": "identity",
            "user-agent": f"stoa/{version('stoa')}",
        }
        if api_key:
            sent["authorization"] = f"Bearer {api_key}"
        self._endpoints = {
            (operation, stream): Endpoint.parse(
                _join(base_url, operation),
                peer=name,
                headers={"accept": _SSE if stream else _JSON} | sent | extra,
                timeouts=timeouts or Timeouts(),
            )
            for operation in Operation
            for stream in (False, True)
        }

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        sent = upstream_body(request)
        _, response = await self._send(request, sent)
        request_id = response.header(_REQUEST_ID)
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
        content_type = (response.header("content-type") or _SSE).casefold()
        if not content_type.startswith(_SSE):
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
        await self._transport.aclose()

    async def _send(
        self, request: ProviderRequest, sent: UpstreamBody
    ) -> tuple[Endpoint, UpstreamResponse]:
        endpoint = self._endpoints[request.operation, request.stream]
        response = await self._transport.send(
            UpstreamRequest(endpoint, sent.body, (("x-correlation-id", request.correlation_id),))
        )
        status = response.status
        if 200 <= status < 300:  # noqa: PLR2004
            return endpoint, response
        error = await self._failure(response)
        error.provider_request_id = response.header(_REQUEST_ID)
        raise error

    async def _failure(self, response: UpstreamResponse) -> StoaError:
        status = response.status
        if status < 400:  # noqa: PLR2004
            await response.aclose()
            return self._errors.no_answer(f"answered with a redirect (HTTP {status})")
        return self._errors.of_status(status, response.header, await _error_body(response))

    async def _refuse_unstreamed(self, response: UpstreamResponse, content_type: str) -> NoReturn:
        error: StoaError = self._errors.no_answer("did not answer with a stream of events")
        try:
            if content_type.startswith(_JSON):
                body = await response.read(MAX_ANSWER_BYTES)
                if decoded(body, self._errors).failed:
                    error = self._errors.of_body(body)
        except StoaError as failure:
            error = failure
        await response.aclose()
        error.provider_request_id = response.header(_REQUEST_ID)
        raise error


async def _error_body(response: UpstreamResponse) -> bytes:
    try:
        return await response.read(_MAX_ERROR_BYTES)
    except StoaError:
        # The status says enough; a failure that cannot even be read to its end is still that one.
        await response.aclose()
        return b""


def _join(base_url: str, operation: Operation) -> str:
    """The query of a base URL (Azure's ``api-version``) goes behind the operation's path."""
    path, mark, query = base_url.partition("?")
    return f"{path.rstrip('/')}/{operation.value}{mark}{query}"
