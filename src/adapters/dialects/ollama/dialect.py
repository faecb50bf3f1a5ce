from dataclasses import dataclass

from adapters.dialects.decoding import bearable
from adapters.dialects.dialect import StreamReader, UpstreamDialect
from adapters.dialects.failures import Failures
from adapters.dialects.ollama.request import NAME, request_body
from adapters.dialects.ollama.stream import OllamaStreamReader
from adapters.dialects.ollama.wire import WireAnswer, arguments_of, decoded, openai_logprobs
from domain.inference.conversation.answer import Choice, GenerationAnswer
from domain.inference.conversation.parts import Part, Text, Thinking, ToolCall
from domain.inference.conversation.request import GenerationRequest
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True)
class OllamaDialect(UpstreamDialect):
    """Ollama's ``/api/chat``. ``keep_alive`` is how long a model stays in memory."""

    failures: Failures
    keep_alive: str | int | None = None

    @property
    def name(self) -> str:
        return NAME

    def write_request(self, request: GenerationRequest, model: ServedModel) -> bytes:
        return bearable(request_body, request, model, self.keep_alive)

    def read_answer(self, body: bytes) -> GenerationAnswer:
        said = decoded(body, self.failures)
        if not said.done:
            raise self.failures.no_answer("answered with a part of an answer")
        parts = _parts(said)
        has_calls = any(isinstance(part, ToolCall) for part in parts)
        return GenerationAnswer(
            id="",
            model=said.model,
            created=said.created,
            choices=(
                Choice(
                    parts=parts,
                    stop=said.stop(has_calls=has_calls),
                    logprobs=openai_logprobs(said),
                ),
            ),
            usage=said.usage,
        )

    def stream_reader(self) -> StreamReader:
        return OllamaStreamReader(self.failures)


def _parts(said: WireAnswer) -> tuple[Part, ...]:
    message = said.message
    if message is None:
        return ()
    parts: list[Part] = []
    if message.thinking:
        parts.append(Thinking(text=message.thinking))
    if message.content:
        parts.append(Text(text=message.content))
    parts += [
        ToolCall(
            id=said.call_id(call, number), name=call.function.name, arguments=arguments_of(call)
        )
        for number, call in enumerate(message.tool_calls or ())
    ]
    return tuple(parts)
