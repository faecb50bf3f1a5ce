from adapters.providers.http_client import MAX_ANSWER_BYTES, SSE
from adapters.providers.openai_compatible.caller import Caller
from adapters.providers.openai_compatible.request import Adapt
from adapters.providers.openai_compatible.responses.answer import whole_response
from adapters.providers.openai_compatible.responses.request import responses_body
from adapters.providers.openai_compatible.responses.scanner import ResponsesScanner
from adapters.providers.openai_compatible.stream import OpenAICompatibleStream
from application.inference.ports import Operation, ProviderAnswer, ProviderRequest, ProviderStream
from domain.shared.errors import StoaError

RESPONSES_OPERATIONS = frozenset({Operation.RESPONSES})


class ResponsesOperation:
    """Responses of a provider that speaks that API itself, and is told to keep none of them."""

    def __init__(self, caller: Caller, *, adapt: Adapt) -> None:
        self._caller = caller
        self._errors = caller.errors
        self._adapt = adapt

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        sent = responses_body(request, self._adapt)
        endpoint = self._caller.endpoint(request)
        response = await self._caller.send(endpoint, request, sent.body)
        request_id = self._caller.client.request_id(response)
        try:
            body = await response.read(MAX_ANSWER_BYTES)
            return whole_response(body, sent, request_id, self._errors)
        except StoaError as error:
            error.provider_request_id = request_id
            raise

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        sent = responses_body(request, self._adapt)
        endpoint = self._caller.endpoint(request)
        response = await self._caller.send(endpoint, request, sent.body)
        request_id = self._caller.client.request_id(response)
        content_type = (response.header("content-type") or SSE).casefold()
        if not content_type.startswith(SSE):
            await response.aclose()
            error = self._errors.no_answer("did not answer with a stream of events")
            error.provider_request_id = request_id
            raise error
        return OpenAICompatibleStream(
            response,
            ResponsesScanner(self._errors),
            endpoint=endpoint,
            prompt_tokens=sent.prompt_tokens,
            request_id=request_id,
        )
