import msgspec

from adapters.dialects.bedrock.blocks import NAME
from adapters.dialects.bedrock.families import Family, family_of
from adapters.dialects.bedrock.messages import messages, system_blocks
from adapters.dialects.bedrock.thinking import thinking_fields
from adapters.dialects.bedrock.tools import tool_config
from adapters.dialects.extras import extras_for
from adapters.dialects.fields import unsupported
from adapters.dialects.options import own_option
from domain.inference.conversation.request import (
    GenerationRequest,
    JsonObject,
    OutputFormat,
    OutputKind,
)
from domain.models.served_model import ServedModel

# A guardrail of the account that is to watch over the model, in Amazon's own words.
_GUARDRAIL_OPTION = "guardrail"
_USUAL_VERBOSITY = "medium"
_TIERS = {
    "default": "default",
    "standard": "default",
    "standard_only": "default",
    "flex": "flex",
    "priority": "priority",
}


def request_body(request: GenerationRequest, model: ServedModel) -> bytes:
    """The model and the wish for a stream are in the path, not in the body."""
    extras_for(NAME, request)
    _refuse(request)
    family = family_of(model)
    body: JsonObject = {
        "messages": messages(request.turns, family),
        "system": system_blocks(request.turns, family),
        "inferenceConfig": _inference(request),
        "toolConfig": tool_config(request, family),
        "additionalModelRequestFields": _own_fields(request, model, family),
        "outputConfig": None if request.output is None else _output(request.output),
        "serviceTier": _tier(request.service_tier),
        "guardrailConfig": own_option(model, _GUARDRAIL_OPTION, dict),
    }
    if family is Family.CLAUDE and request.sampling.stop:
        body["additionalModelResponseFieldPaths"] = ["/stop_sequence"]
    return msgspec.json.encode({name: value for name, value in body.items() if value})


def _refuse(request: GenerationRequest) -> None:
    sampling = request.sampling
    unknown = {
        "n": request.choices > 1,
        "seed": sampling.seed is not None,
        "presence_penalty": bool(sampling.presence_penalty),
        "frequency_penalty": bool(sampling.frequency_penalty),
        "logit_bias": bool(sampling.logit_bias),
        "logprobs": sampling.logprobs,
        "verbosity": request.verbosity not in (None, _USUAL_VERBOSITY),
    }
    for param, is_wanted in unknown.items():
        if is_wanted:
            raise unsupported(param)


def _inference(request: GenerationRequest) -> JsonObject:
    sampling = request.sampling
    config = {
        "maxTokens": request.max_output_tokens,
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "stopSequences": list(sampling.stop) or None,
    }
    return {name: value for name, value in config.items() if value is not None}


def _own_fields(request: GenerationRequest, model: ServedModel, family: Family) -> JsonObject:
    fields: JsonObject = {}
    top_k = request.sampling.top_k
    if top_k is not None:
        fields = {"inferenceConfig": {"topK": top_k}} if family is Family.NOVA else {"top_k": top_k}
    return fields | thinking_fields(request, model, family)


def _output(output: OutputFormat) -> JsonObject | None:
    if output.kind is OutputKind.TEXT:
        return None
    if output.kind is OutputKind.JSON or output.schema is None:
        raise unsupported("response_format", "JSON needs a schema")
    definition: JsonObject = {"schema": msgspec.json.encode(output.schema).decode()}
    if output.name is not None:
        definition["name"] = output.name
    if output.description is not None:
        definition["description"] = output.description
    structure = {"jsonSchema": definition}
    return {"textFormat": {"type": "json_schema", "structure": structure}}


def _tier(wanted: str | None) -> JsonObject | None:
    """One that Bedrock does not know is a wish for speed, which changes no answer."""
    tier = _TIERS.get(wanted or "")
    return None if tier is None else {"type": tier}
