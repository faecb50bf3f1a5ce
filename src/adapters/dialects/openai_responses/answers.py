"""Whole answers, read and written."""

import msgspec

from adapters.dialects.fields import NOT_JSON, Fields
from adapters.dialects.openai_responses.calls import ClientTools
from adapters.dialects.openai_responses.content import logprobs_in
from adapters.dialects.openai_responses.failures import read_failure
from adapters.dialects.openai_responses.item_reading import ItemReader
from adapters.dialects.openai_responses.output_items import (
    COMPLETED,
    INCOMPLETE,
    ItemIds,
    output_items,
)
from adapters.dialects.openai_responses.response_object import response_object
from adapters.dialects.openai_responses.usage import read_usage, write_usage
from adapters.dialects.openai_responses.words import status_of, stop_of
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.parts import Part, Refusal, ToolCall
from domain.inference.conversation.request import GenerationRequest, JsonObject
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import InvalidError

_FAILED = "failed"


def read_answer(body: bytes) -> GenerationAnswer:
    try:
        response = msgspec.json.decode(body)
        return read_response(response)
    except (*NOT_JSON, InvalidError) as error:
        if isinstance(error, InvalidError) and type(error) is not InvalidError:
            # It is what the provider said.
            raise
        raise ProviderFailedError(
            "The provider answered with something that is no response."
        ) from error


def read_response(response: object) -> GenerationAnswer:
    """Raises ``InvalidError`` for what is none."""
    fields = Fields(response)
    status = fields.text("status") or COMPLETED
    error = fields.raw("error")
    if error is not None or status == _FAILED:
        raise read_failure(error)
    parts, logprobs = _read_output(fields)
    return GenerationAnswer(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        choices=(Choice(parts=parts, stop=read_stop(status, fields, parts), logprobs=logprobs),),
        usage=read_usage(fields.raw("usage")),
        created=fields.integer("created_at"),
        service_tier=fields.text("service_tier"),
    )


def read_stop(status: str, fields: Fields, parts: tuple[Part, ...]) -> StopReason:
    details = fields.object("incomplete_details") or Fields({})
    return stop_of(
        status,
        details.text("reason"),
        calls_tools=any(isinstance(part, ToolCall) for part in parts),
        says_refusal=any(isinstance(part, Refusal) for part in parts),
    )


def _read_output(fields: Fields) -> tuple[tuple[Part, ...], JsonObject | None]:
    items = fields.list("output")
    if items is None:
        raise fields.missing("output")
    reader = ItemReader(is_strict=False)
    logprobs: list[object] = []
    for index, item in enumerate(items):
        reader.read(item, f"output[{index}]")
        logprobs += _logprobs_of(item)
    return reader.answer, {"content": logprobs} if logprobs else None


def _logprobs_of(item: object) -> list[object]:
    content = item.get("content") if isinstance(item, dict) else None
    parts = content if isinstance(content, list) else []
    found = [part.get("logprobs") for part in parts if isinstance(part, dict)]
    return [one for logprobs in found if isinstance(logprobs, list) for one in logprobs]


def write_answer(answer: GenerationAnswer, request: GenerationRequest) -> bytes:
    if not answer.choices:
        raise ProviderFailedError("The provider answered with nothing.")
    choice = answer.choices[0]
    response = response_object(answer.id, answer.created, request)
    finish(response, choice.stop, says_refusal=any(isinstance(p, Refusal) for p in choice.parts))
    response["output"] = output_items(
        choice.parts,
        ItemIds(answer.id),
        ClientTools(request.tools),
        status=response["status"],
        shows_summary=shows_summary(request),
    )
    _add_logprobs(response["output"], choice.logprobs)
    response["usage"] = write_usage(answer.usage)
    response["service_tier"] = answer.service_tier or response["service_tier"]
    return msgspec.json.encode(response)


def shows_summary(request: GenerationRequest) -> bool:
    """Who asked for a summary reads thoughts there; all others read them as what they are."""
    return request.reasoning is not None and request.reasoning.summary is not None


def finish(response: JsonObject, stop: StopReason, *, says_refusal: bool) -> None:
    """Set what follows from why the model stopped."""
    status, details = status_of(stop, says_refusal=says_refusal)
    response["status"] = status
    response["incomplete_details"] = details
    response["completed_at"] = None if status == INCOMPLETE else response["created_at"]


def _add_logprobs(items: list[JsonObject], logprobs: JsonObject | None) -> None:
    """They are those of all text together, so they stand with the first."""
    content = logprobs_in(logprobs)
    texts = (
        part
        for item in items
        if item["type"] == "message"
        for part in item["content"]
        if part["type"] == "output_text"
    )
    first = next(texts, None)
    if content and first is not None:
        first["logprobs"] = content
