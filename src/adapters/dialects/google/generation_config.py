from adapters.dialects.fields import unsupported
from adapters.dialects.google.thinking import thinking_config
from domain.inference.conversation.request import (
    GenerationRequest,
    JsonObject,
    OutputFormat,
    OutputKind,
)

_JSON = "application/json"
_USUAL_VERBOSITY = "medium"


def generation_config(request: GenerationRequest, upstream_name: str) -> JsonObject:
    if request.verbosity not in (None, _USUAL_VERBOSITY):
        raise unsupported("verbosity")
    config = _sampling(request)
    config["maxOutputTokens"] = request.max_output_tokens
    if request.choices > 1:
        config["candidateCount"] = request.choices
    if request.output is not None:
        config |= _output(request.output)
    if request.reasoning is not None:
        config["thinkingConfig"] = thinking_config(request.reasoning, upstream_name) or None
    return {name: value for name, value in config.items() if value is not None}


def _sampling(request: GenerationRequest) -> JsonObject:
    sampling = request.sampling
    if sampling.logit_bias:
        raise unsupported("logit_bias")
    return {
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "seed": sampling.seed,
        "presencePenalty": sampling.presence_penalty,
        "frequencyPenalty": sampling.frequency_penalty,
        "stopSequences": list(sampling.stop) or None,
        "responseLogprobs": sampling.logprobs or None,
        "logprobs": sampling.top_logprobs if sampling.logprobs else None,
    }


def _output(output: OutputFormat) -> JsonObject:
    if output.kind is OutputKind.TEXT:
        return {}
    if output.kind is OutputKind.JSON or output.schema is None:
        return {"responseMimeType": _JSON}
    schema = output.schema
    if output.description and "description" not in schema:
        schema = {**schema, "description": output.description}
    return {"responseMimeType": _JSON, "responseJsonSchema": schema}
