from collections.abc import Iterable, Iterator
from hashlib import sha256

from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from adapters.dialects.google.logprobs import openai_logprobs
from adapters.dialects.google.parts import PartReader
from adapters.dialects.google.stops import FAULTS, stop_reason
from adapters.dialects.google.usage import read_usage
from adapters.dialects.google.wire import WireAnswer, WireCandidate, answer_decoder
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.parts import Part, Text, Thinking

_ID_LENGTH = 24
BLOCKED = Choice(parts=(), stop=StopReason.FILTERED)


def read_answer(body: bytes, failures: Failures, *, signs_apart: bool = False) -> GenerationAnswer:
    said = decoded(body, failures)
    if said.failed:
        raise failures.of_body(body)
    if not said.says_something:
        raise failures.no_answer("answered without a candidate")
    response_id = answer_id(said, body)
    try:
        choices = tuple(
            _choice(one, PartReader(response_id, one.index, signs_apart=signs_apart), failures)
            for one in said.candidates or ()
        )
    except NOT_JSON as error:
        raise failures.no_answer("answered with parts that cannot be read") from error
    return GenerationAnswer(
        id=response_id,
        model=said.model_version,
        choices=choices or (BLOCKED,),
        usage=read_usage(said.usage_metadata),
    )


def decoded(body: bytes, failures: Failures) -> WireAnswer:
    try:
        return answer_decoder.decode(body)
    except NOT_JSON as error:
        raise failures.no_answer("answered with something that is no answer of Gemini's") from error


def answer_id(said: WireAnswer, body: bytes) -> str:
    """Its own, or one made of what it says: the ids of its calls hang on it."""
    return said.response_id or f"gen-{sha256(body).hexdigest()[:_ID_LENGTH]}"


def _choice(candidate: WireCandidate, reader: PartReader, failures: Failures) -> Choice:
    reason = candidate.finish_reason or "STOP"
    if reason in FAULTS:
        raise failures.no_answer(f"answered with a call that cannot be made ({reason})")
    content = candidate.content
    raw = (content.parts or []) if content is not None else []
    parts = tuple(_joined(part for one in raw for part in reader.read(one)))
    return Choice(
        parts=parts,
        stop=stop_reason(reason, has_calls=reader.calls > 0),
        logprobs=openai_logprobs(candidate.logprobs_result),
    )


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """Texts that follow each other are one, and so are thoughts."""
    last: Part | None = None
    for part in parts:
        merged = _merged(last, part)
        if merged is None:
            if last is not None:
                yield last
            merged = part
        last = merged
    if last is not None:
        yield last


def _merged(first: Part | None, then: Part) -> Part | None:
    if isinstance(first, Text) and isinstance(then, Text):
        return Text(text=first.text + then.text)
    if isinstance(first, Thinking) and isinstance(then, Thinking) and first.opaque is None:
        return Thinking(text=first.text + then.text, opaque=then.opaque, opaque_of=then.opaque_of)
    return None
