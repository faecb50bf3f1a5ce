import msgspec

from adapters.dialects.extras import extras_for
from adapters.dialects.fields import unsupported
from adapters.dialects.openai_responses.item_writing import write_turns
from adapters.dialects.openai_responses.options import (
    thinks,
    write_reasoning,
    write_text,
)
from adapters.dialects.openai_responses.request_reading import LOGPROBS
from adapters.dialects.openai_responses.tools import write_tool_choice, write_tools
from adapters.dialects.openai_responses.words import NAME
from domain.inference.conversation.parts import Text, Thinking
from domain.inference.conversation.request import GenerationRequest, JsonObject, Role, Turn
from domain.models.served_model import ServedModel


def write_request(request: GenerationRequest, model: ServedModel) -> bytes:
    """Nothing is ever kept by the provider: the conversation is sent whole each time."""
    _refuse_what_has_no_word(request)
    own = request.dialect == NAME
    instructions, turns = instructions_of(request.turns)
    body: JsonObject = {
        "model": model.upstream_name,
        "instructions": instructions,
        "input": write_turns(turns),
        "stream": True if request.stream else None,
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
        "top_logprobs": request.sampling.top_logprobs,
        "tools": write_tools(request.tools, strict=None if own else False) or None,
        "tool_choice": request.tool_choice and write_tool_choice(request.tool_choice),
        "parallel_tool_calls": request.parallel_tools,
        "text": write_text(request) or None,
        "reasoning": (request.reasoning and write_reasoning(request.reasoning, model)) or None,
        "user": request.user,
        "metadata": request.metadata or None,
        "service_tier": request.service_tier,
    }
    extras = dict(extras_for(NAME, request))
    body["include"] = [*_included(request, model), *extras.pop("include", ())] or None
    written = {name: value for name, value in body.items() if value is not None}
    return msgspec.json.encode(written | extras | {"store": False})


def instructions_of(turns: tuple[Turn, ...]) -> tuple[str | None, tuple[Turn, ...]]:
    """The text that the conversation begins with, if it is the system's, and the rest."""
    match turns:
        case (Turn(role=Role.SYSTEM, parts=(Text(text=text),), name=None), *rest):
            return text, tuple(rest)
        case _:
            return None, turns


def _included(request: GenerationRequest, model: ServedModel) -> list[str]:
    included = [LOGPROBS] if request.sampling.logprobs else []
    # Models that cannot think refuse to be asked for their thoughts.
    thought = any(isinstance(part, Thinking) for turn in request.turns for part in turn.parts)
    if thinks(model) or thought or request.reasoning is not None:
        included.append("reasoning.encrypted_content")
    return included


def _refuse_what_has_no_word(request: GenerationRequest) -> None:
    sampling = request.sampling
    for name, is_there in (
        ("n", request.choices != 1),
        ("top_k", sampling.top_k is not None),
        ("seed", sampling.seed is not None),
        ("presence_penalty", bool(sampling.presence_penalty)),
        ("frequency_penalty", bool(sampling.frequency_penalty)),
        ("logit_bias", bool(sampling.logit_bias)),
        ("stop", bool(sampling.stop)),
    ):
        if is_there:
            raise unsupported(name)
