from adapters.dialects.decoding import bearable, understood
from adapters.dialects.dialect import Dialect, StreamReader, StreamWriter
from adapters.dialects.openai_chat.answer import read_answer, write_answer
from adapters.dialects.openai_chat.errors import write_error
from adapters.dialects.openai_chat.read_request import read_request
from adapters.dialects.openai_chat.stream_reader import OpenAIChatReader
from adapters.dialects.openai_chat.stream_writer import OpenAIChatWriter
from adapters.dialects.openai_chat.words import NAME
from adapters.dialects.openai_chat.write_request import write_request
from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.request import GenerationRequest
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError

# What most servers call the limit of an answer; OpenAI itself wants the other name.
MAX_TOKENS, MAX_COMPLETION_TOKENS = "max_tokens", "max_completion_tokens"


class OpenAIChat(Dialect):
    """OpenAI's chat completions, and what other servers have added to them.

    ``limit_name`` is how the servers that are written to call the limit of an answer.
    """

    def __init__(self, limit_name: str = MAX_TOKENS) -> None:
        self._limit_name = limit_name

    @property
    def name(self) -> str:
        return NAME

    def read_request(self, body: bytes) -> GenerationRequest:
        return understood(read_request, body)

    def write_request(self, request: GenerationRequest, model: ServedModel) -> bytes:
        return bearable(write_request, request, model, self._limit_name)

    def read_answer(self, body: bytes) -> GenerationAnswer:
        return read_answer(body)

    def write_answer(self, answer: GenerationAnswer, request: GenerationRequest) -> bytes:
        return write_answer(answer, request)

    def stream_reader(self) -> StreamReader:
        return OpenAIChatReader()

    def stream_writer(self, request: GenerationRequest) -> StreamWriter:
        return OpenAIChatWriter(request)

    def write_error(self, error: StoaError) -> bytes:
        return write_error(error)
