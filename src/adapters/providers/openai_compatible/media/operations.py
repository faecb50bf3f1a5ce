from adapters.providers.http_client import JSON, MAX_ANSWER_BYTES, SSE
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.answer import under_public_name
from adapters.providers.openai_compatible.caller import ANYTHING, Caller
from adapters.providers.openai_compatible.media.outgoing import Outgoing, outgoing
from adapters.providers.openai_compatible.media.scanners import ByteScanner, EventScanner
from adapters.providers.openai_compatible.media.whole_stream import whole_stream
from adapters.providers.openai_compatible.media.wire import MediaAnswer, media_decoder
from adapters.providers.openai_compatible.request import Adapt
from adapters.providers.openai_compatible.stream import OpenAICompatibleStream, Scanner
from adapters.providers.transport.endpoint import Endpoint
from adapters.providers.transport.transport import UpstreamResponse
from application.inference.ports import Operation, ProviderAnswer, ProviderRequest, ProviderStream
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import StoaError

MEDIA_OPERATIONS = frozenset(
    {
        Operation.RERANK,
        Operation.MODERATION,
        Operation.IMAGE,
        Operation.TRANSCRIPTION,
        Operation.SPEECH,
    }
)
_PLAIN = {
    Operation.SPEECH: ("audio/", "application/octet-stream", "binary/octet-stream"),
    Operation.TRANSCRIPTION: ("text/plain", "text/vtt", "text/srt", "application/x-subrip"),
}
_STREAMED = frozenset({Operation.IMAGE, Operation.TRANSCRIPTION, Operation.SPEECH})


class MediaOperations:
    """What OpenAI's API has beside texts, and reranking in the shape of Cohere's and Jina's.

    Requests go out as they came but for the model's name, uploads with their files byte for byte;
    answers come back as they are, whatever their format.
    """

    def __init__(self, caller: Caller, *, adapt: Adapt) -> None:
        self._caller = caller
        self._errors = caller.errors
        self._adapt = adapt

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        sent = outgoing(request, self._adapt)
        _, response = await self._send(request, sent)
        return await self._whole(request, sent, response)

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        if request.operation not in _STREAMED:
            raise UnsupportedByModelError(
                f"'{request.operation}' cannot be streamed.", param="stream"
            )
        sent = outgoing(request, self._adapt)
        endpoint, response = await self._send(request, sent)
        content_type = response.header("content-type") or SSE
        if content_type.casefold().startswith(SSE):
            scanner: Scanner = EventScanner(self._errors, sent.expected)
            sign_of_life = b"data:"
        elif is_plain(request.operation, content_type):
            scanner, sign_of_life = ByteScanner(self._errors, sent.expected), b""
        else:
            return await self._unstreamed(request, sent, response)
        return OpenAICompatibleStream(
            response,
            scanner,
            endpoint=endpoint,
            prompt_tokens=0,
            request_id=self._caller.client.request_id(response),
            content_type=content_type,
            sign_of_life=sign_of_life,
        )

    async def _send(
        self, request: ProviderRequest, sent: Outgoing
    ) -> tuple[Endpoint, UpstreamResponse]:
        endpoint = self._caller.endpoint(request, ANYTHING, sent.content_type)
        response = await self._caller.send(endpoint, request, sent.body, sent.content_type)
        return endpoint, response

    async def _whole(
        self, request: ProviderRequest, sent: Outgoing, response: UpstreamResponse
    ) -> ProviderAnswer:
        request_id = self._caller.client.request_id(response)
        content_type = response.header("content-type") or JSON
        try:
            body = await response.read(MAX_ANSWER_BYTES)
            if is_plain(request.operation, content_type):
                return ProviderAnswer(
                    body=body,
                    usage=sent.expected,
                    content_type=content_type,
                    provider_request_id=request_id,
                )
            return ProviderAnswer(
                body=under_public_name(body, request.model.upstream_name, sent.public_name),
                usage=self._decoded(request, body).used(sent.expected),
                provider_request_id=request_id,
            )
        except StoaError as error:
            error.provider_request_id = request_id
            raise

    async def _unstreamed(
        self, request: ProviderRequest, sent: Outgoing, response: UpstreamResponse
    ) -> ProviderStream:
        stream = whole_stream(request.operation, await self._whole(request, sent, response))
        if stream is None:
            raise self._errors.no_answer("did not answer with a stream of events")
        return stream

    def _decoded(self, request: ProviderRequest, body: bytes) -> MediaAnswer:
        """Raises ``ProviderFailedError`` for what is no answer, and the error that came as one."""
        try:
            answer = media_decoder.decode(body)
        except NOT_JSON as error:
            raise self._errors.no_answer(
                "answered with something that is no JSON object"
            ) from error
        if answer.failed:
            raise self._errors.of_body(body)
        if not answer.answers(request.operation):
            raise self._errors.no_answer(f"answered with what is none of '{request.operation}'")
        return answer


def is_plain(operation: Operation, content_type: str) -> bool:
    """Whether this is a type that answers to the operation have instead of JSON."""
    return content_type.casefold().startswith(_PLAIN.get(operation, ()))
