from adapters.dialects.decoding import bearable, understood
from adapters.dialects.dialect import Dialect, StreamReader, StreamWriter
from adapters.dialects.openai_responses.answers import read_answer, write_answer
from adapters.dialects.openai_responses.failures import write_error_event
from adapters.dialects.openai_responses.request_reading import read_request
from adapters.dialects.openai_responses.request_writing import write_request
from adapters.dialects.openai_responses.stream_reading import ResponsesStreamReader
from adapters.dialects.openai_responses.stream_writing import ResponsesStreamWriter, sse
from adapters.dialects.openai_responses.words import NAME
from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.request import GenerationRequest
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError


class OpenAIResponsesDialect(Dialect):
    """OpenAI's Responses API, without what is kept between calls: that is the door's."""

    @property
    def name(self) -> str:
        return NAME

    def read_request(self, body: bytes) -> GenerationRequest:
        return understood(read_request, body)

    def write_request(self, request: GenerationRequest, model: ServedModel) -> bytes:
        return bearable(write_request, request, model)

    def read_answer(self, body: bytes) -> GenerationAnswer:
        return read_answer(body)

    def write_answer(self, answer: GenerationAnswer, request: GenerationRequest) -> bytes:
        return write_answer(answer, request)

    def stream_reader(self) -> StreamReader:
        return ResponsesStreamReader()

    def stream_writer(self, request: GenerationRequest) -> StreamWriter:
        return ResponsesStreamWriter(request)

    def write_error(self, error: StoaError) -> bytes:
        """Numbered 0, since only the door knows how much was said before."""
        return sse(write_error_event(error))
