from dataclasses import dataclass

from adapters.dialects.decoding import bearable
from adapters.dialects.dialect import StreamReader, UpstreamDialect
from adapters.dialects.failures import Failures
from adapters.dialects.google.answer import read_answer
from adapters.dialects.google.contents import NAME
from adapters.dialects.google.request import request_body
from adapters.dialects.google.stream import GoogleStreamReader
from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.request import GenerationRequest
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True)
class GoogleDialect(UpstreamDialect):
    """Gemini's ``generateContent`` and ``streamGenerateContent``, version ``v1beta``.

    With ``signs_apart``, answers have the signature of a call as a thought before it; requests
    may have it in either place.
    """

    failures: Failures
    signs_apart: bool = False

    @property
    def name(self) -> str:
        return NAME

    def write_request(self, request: GenerationRequest, model: ServedModel) -> bytes:
        return bearable(request_body, request, model)

    def read_answer(self, body: bytes) -> GenerationAnswer:
        return read_answer(body, self.failures, signs_apart=self.signs_apart)

    def stream_reader(self) -> StreamReader:
        return GoogleStreamReader(self.failures, signs_apart=self.signs_apart)
