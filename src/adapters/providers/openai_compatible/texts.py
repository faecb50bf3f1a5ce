from typing import NoReturn

from adapters.providers.http_client import JSON, MAX_ANSWER_BYTES, SSE
from adapters.providers.openai_compatible.answer import decoded, whole_answer
from adapters.providers.openai_compatible.caller import Caller
from adapters.providers.openai_compatible.owed_usage import OwedUsage
from adapters.providers.openai_compatible.request import Adapt, UpstreamBody, upstream_body
from adapters.providers.openai_compatible.scanner import StreamScanner
from adapters.providers.openai_compatible.stream import OpenAICompatibleStream
from adapters.providers.transport.transport import UpstreamResponse
from application.inference.ports import Operation, ProviderAnswer, ProviderRequest, ProviderStream
from domain.shared.errors import StoaError

TEXT_OPERATIONS = frozenset({Operation.CHAT, Operation.COMPLETION, Operation.EMBEDDING})


class TextOperations:
    """Chats, completions and embeddings in OpenAI's dialect.

    Requests go out as they came but for the model's name, the wish for usage and what ``adapt``
    changes; answers come back as they are but for that name. Without ``stream_usage`` the provider
    is not asked for the usage of a stream.
    """

    def __init__(self, caller: Caller, *, adapt: Adapt, stream_usage: bool) -> None:
        self._caller = caller
        self._errors = caller.errors
        self._adapt = adapt
        self._stream_usage = stream_usage

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        sent = upstream_body(request, self._adapt, stream_usage=self._stream_usage)
        endpoint = self._caller.endpoint(request)
        response = await self._caller.send(endpoint, request, sent.body)
        request_id = self._caller.client.request_id(response)
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
        sent = upstream_body(request, self._adapt, stream_usage=self._stream_usage)
        endpoint = self._caller.endpoint(request)
        response = await self._caller.send(endpoint, request, sent.body)
        content_type = (response.header("content-type") or SSE).casefold()
        if not content_type.startswith(SSE):
            await self._refuse_unstreamed(response, content_type)
        names = request.model.upstream_name, sent.public_name
        scanner = StreamScanner(
            self._errors,
            names=None if names[0] == names[1] else names,
            include_usage=request.include_usage,
            owed=None if self._stream_usage else _owed(request, sent),
        )
        return OpenAICompatibleStream(
            response,
            scanner,
            endpoint=endpoint,
            prompt_tokens=sent.prompt_tokens,
            request_id=self._caller.client.request_id(response),
        )

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
        error.provider_request_id = self._caller.client.request_id(response)
        raise error


def _owed(request: ProviderRequest, sent: UpstreamBody) -> OwedUsage | None:
    if not request.include_usage:
        return None
    return OwedUsage(model=sent.public_name, prompt_tokens=sent.prompt_tokens)
