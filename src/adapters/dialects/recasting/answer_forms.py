import json
from collections.abc import Mapping
from dataclasses import replace

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.dialect import Dialect
from adapters.dialects.events import EventReader
from adapters.dialects.openai_chat.dialect import OpenAIChat
from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from adapters.dialects.recasting.gathering import gathered, told
from application.inference.keeping.ports import AnswerForms, KeptAnswer
from application.inference.ports import EVENTS, Operation
from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.request import GenerationRequest
from domain.shared.errors import StoaError

_DIALECTS: Mapping[Operation, Dialect] = {
    Operation.CHAT: OpenAIChat(),
    Operation.MESSAGES: Anthropic(),
    Operation.RESPONSES: OpenAIResponsesDialect(),
}
# Who, when and how much; that is told in other words, or is nobody's matter.
_ABOUT = frozenset(
    {
        "created",
        "created_at",
        "completed_at",
        "id",
        "index",
        "item_id",
        "model",
        "obfuscation",
        "object",
        "role",
        "sequence_number",
        "service_tier",
        "status",
        "system_fingerprint",
        "type",
        "usage",
    }
)
_ENDS = ("response.completed", "response.incomplete")
_DONE = b"[DONE]"


class DialectAnswerForms(AnswerForms):
    """Reads an answer and writes it in the other form. Members that only one provider has, and that
    are not written again, are a reason not to."""

    def recast(
        self, operation: Operation, question: bytes, kept: KeptAnswer, *, stream: bool
    ) -> tuple[bytes, ...] | None:
        dialect = _DIALECTS.get(operation)
        if dialect is None:
            return None
        try:
            if operation is Operation.RESPONSES and not stream:
                return _last_response(kept)
            return _recast(dialect, dialect.read_request(question), kept, stream=stream)
        except (StoaError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
            # It is asked again.
            return None


def _recast(
    dialect: Dialect, request: GenerationRequest, kept: KeptAnswer, *, stream: bool
) -> tuple[bytes, ...] | None:
    answer = _read(dialect, kept)
    if any(choice.logprobs for choice in answer.choices):
        return None
    if kept.content_type.startswith(EVENTS):
        usual = _streamed(dialect, request, answer)
        has, keeps = _members_of_stream(kept.blocks), _members_of_stream(usual)
        wanted = usual if stream else (dialect.write_answer(answer, request),)
    else:
        usual = (dialect.write_answer(answer, request),)
        has, keeps = _members(json.loads(b"".join(kept.blocks))), _members(json.loads(usual[0]))
        wanted = _streamed(dialect, request, answer) if stream else usual
    return wanted if has <= keeps else None


def _read(dialect: Dialect, kept: KeptAnswer) -> GenerationAnswer:
    if not kept.content_type.startswith(EVENTS):
        answer = dialect.read_answer(b"".join(kept.blocks))
        return replace(answer, usage=kept.usage)
    reader = dialect.stream_reader()
    events = [event for block in kept.blocks for event in reader.feed(block)]
    return gathered([*events, *reader.end()], kept.usage)


def _streamed(
    dialect: Dialect, request: GenerationRequest, answer: GenerationAnswer
) -> tuple[bytes, ...]:
    writer = dialect.stream_writer(request)
    blocks = [writer.write([event]) for event in told(answer)]
    return tuple(block for block in (*blocks, writer.end()) if block)


def _last_response(kept: KeptAnswer) -> tuple[bytes, ...] | None:
    """The event at the end of a response has it all."""
    for data in reversed(_data_of(kept.blocks)):
        event = json.loads(data)
        if event.get("type") in _ENDS:
            return (json.dumps(event["response"], separators=(",", ":")).encode(),)
    return None


def _data_of(blocks: tuple[bytes, ...]) -> list[bytes]:
    reader = EventReader()
    found = [event.data for block in blocks for event in reader.feed(block)]
    return [data for data in found if data.strip() != _DONE]


def _members_of_stream(blocks: tuple[bytes, ...]) -> set[str]:
    return set[str]().union(*(_members(json.loads(data)) for data in _data_of(blocks)))


def _members(value: object, path: str = "") -> set[str]:
    """Where something is said."""
    if isinstance(value, Mapping):
        below = (
            _members(one, f"{path}.{name}") for name, one in value.items() if name not in _ABOUT
        )
        return set[str]().union(*below)
    if isinstance(value, list):
        return set[str]().union(*(_members(one, path) for one in value))
    return set() if value in (None, "", False) else {path}
