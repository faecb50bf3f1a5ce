from adapters.dialects.anthropic.answer import read_answer, write_answer
from adapters.dialects.anthropic.errors import write_event
from adapters.dialects.anthropic.read_request import read_request
from adapters.dialects.anthropic.stream_reader import AnthropicReader
from adapters.dialects.anthropic.stream_writer import AnthropicWriter
from adapters.dialects.anthropic.words import NAME
from adapters.dialects.anthropic.write_request import write_request
from adapters.dialects.decoding import bearable, understood
from adapters.dialects.dialect import Dialect, StreamReader, StreamWriter
from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.request import GenerationRequest
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError


class Anthropic(Dialect):
    """Anthropic's Messages API."""

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
        return AnthropicReader()

    def stream_writer(self, request: GenerationRequest) -> StreamWriter:
        return AnthropicWriter(request)

    def write_error(self, error: StoaError) -> bytes:
        return write_event(error)
