from dataclasses import dataclass

from adapters.dialects.cohere.request import NAME, request_body
from adapters.dialects.cohere.stream import CohereStreamReader
from adapters.dialects.cohere.wire import WireMessage, read_answer, stop_of
from adapters.dialects.decoding import bearable
from adapters.dialects.dialect import StreamReader, UpstreamDialect
from adapters.dialects.failures import Failures
from domain.inference.conversation.answer import Choice, GenerationAnswer
from domain.inference.conversation.parts import Part, Text, Thinking, ToolCall
from domain.inference.conversation.request import GenerationRequest
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True)
class CohereDialect(UpstreamDialect):
    """Cohere's ``/v2/chat``."""

    failures: Failures

    @property
    def name(self) -> str:
        return NAME

    def write_request(self, request: GenerationRequest, model: ServedModel) -> bytes:
        return bearable(request_body, request, model)

    def read_answer(self, body: bytes) -> GenerationAnswer:
        said, message = read_answer(body, self.failures)
        stop = stop_of(said.finish_reason, self.failures)
        return GenerationAnswer(
            id=said.id,
            model="",
            choices=(Choice(parts=_parts(message), stop=stop),),
            usage=said.usage.usage() if said.usage else None,
        )

    def stream_reader(self) -> StreamReader:
        return CohereStreamReader(self.failures)


def _parts(message: WireMessage) -> tuple[Part, ...]:
    parts: list[Part] = []
    for part in message.content or ():
        if part.thinking:
            parts.append(Thinking(text=part.thinking))
        elif part.text:
            parts.append(Text(text=part.text))
    if message.tool_plan:
        parts.append(Text(text=message.tool_plan))
    parts += [
        ToolCall(
            id=call.id or "",
            name=call.function.name or "",
            arguments=call.function.arguments or "{}",
        )
        for call in message.tool_calls or ()
    ]
    return tuple(parts)
