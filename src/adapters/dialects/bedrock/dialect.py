from dataclasses import dataclass

from adapters.dialects.bedrock.answer import read_answer
from adapters.dialects.bedrock.blocks import NAME
from adapters.dialects.bedrock.request import request_body
from adapters.dialects.bedrock.stream import BedrockStreamReader
from adapters.dialects.decoding import bearable
from adapters.dialects.dialect import StreamReader, UpstreamDialect
from adapters.dialects.failures import Failures
from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.request import GenerationRequest
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True)
class BedrockDialect(UpstreamDialect):
    """Amazon Bedrock's ``Converse`` and ``ConverseStream``. ``thinks_as`` is the dialect that
    understands the thoughts in its answers."""

    failures: Failures
    thinks_as: str = NAME

    @property
    def name(self) -> str:
        return NAME

    def write_request(self, request: GenerationRequest, model: ServedModel) -> bytes:
        return bearable(request_body, request, model)

    def read_answer(self, body: bytes) -> GenerationAnswer:
        return read_answer(body, self.failures, self.thinks_as)

    def stream_reader(self) -> StreamReader:
        return BedrockStreamReader(self.failures, self.thinks_as)
