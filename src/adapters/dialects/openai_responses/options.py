"""Formats and thinking: members that have a structure of their own."""

from adapters.dialects.fields import Fields
from domain.inference.conversation.request import (
    GenerationRequest,
    JsonObject,
    OutputFormat,
    OutputKind,
    Reasoning,
)
from domain.models.served_model import Capability, ServedModel

_FORMATS = {
    OutputKind.TEXT: "text",
    OutputKind.JSON: "json_object",
    OutputKind.JSON_SCHEMA: "json_schema",
}
_KINDS = {word: kind for kind, word in _FORMATS.items()}
# How many tokens of thinking are still called so.
_EFFORTS = ((1024, "minimal"), (4096, "low"), (16384, "medium"))


def read_format(fields: Fields) -> OutputFormat | None:
    """``text.format``."""
    given = fields.object("format")
    if given is None:
        return None
    kind = _KINDS.get(given.needed("type"))
    if kind is None:
        raise given.wrong("type", "'text', 'json_object' or 'json_schema'")
    if kind is not OutputKind.JSON_SCHEMA:
        given.end()
        return OutputFormat(kind=kind)
    name, schema = given.needed("name"), given.mapping("schema")
    if schema is None:
        raise given.missing("schema")
    read = OutputFormat(
        kind=kind,
        name=name,
        schema=schema,
        strict=given.flag("strict"),
        description=given.text("description"),
    )
    given.end()
    return read


def write_format(output: OutputFormat | None) -> JsonObject:
    if output is None or output.kind is not OutputKind.JSON_SCHEMA:
        return {"type": "text" if output is None else _FORMATS[output.kind]}
    written: JsonObject = {
        "type": "json_schema",
        "name": output.name or "answer",
        "schema": output.schema or {},
        "strict": output.strict,
    }
    return written if output.description is None else written | {"description": output.description}


def write_text(request: GenerationRequest) -> JsonObject:
    """The member ``text``, possibly empty."""
    written: JsonObject = {}
    if request.output is not None:
        written["format"] = write_format(request.output)
    if request.verbosity is not None:
        written["verbosity"] = request.verbosity
    return written


def read_reasoning(fields: Fields) -> Reasoning | None:
    given = fields.object("reasoning")
    if given is None:
        return None
    effort = given.text("effort")
    older = given.text("generate_summary")
    summary = given.text("summary") or older
    given.end()
    return Reasoning(effort=effort, is_enabled=effort != "none", summary=summary)


def write_reasoning(reasoning: Reasoning, model: ServedModel) -> JsonObject:
    """The member ``reasoning``, possibly empty: whoever leaves the amount to the model says
    nothing, and limits of thinking are for models that are known to think; others refuse them."""
    written: JsonObject = {}
    effort = reasoning.effort or (_limit(reasoning) if thinks(model) else None)
    if effort is not None:
        written["effort"] = effort
    if reasoning.summary is not None:
        written["summary"] = reasoning.summary
    return written


def thinks(model: ServedModel) -> bool:
    """Whether the operator has said so."""
    return model.capabilities is not None and Capability.REASONING in model.capabilities


def _limit(reasoning: Reasoning) -> str | None:
    if not reasoning.is_enabled:
        return "none"
    budget = reasoning.budget_tokens
    if budget is None:
        return None
    return next((word for most, word in _EFFORTS if budget <= most), "high")
