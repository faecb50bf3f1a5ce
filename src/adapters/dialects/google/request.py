import msgspec

from adapters.dialects.extras import extras_for
from adapters.dialects.google.contents import NAME, contents, system_instruction
from adapters.dialects.google.generation_config import generation_config
from adapters.dialects.google.thinking import thinks_in_levels
from adapters.dialects.google.tools import tool_members
from adapters.dialects.options import own_option
from domain.inference.conversation.request import GenerationRequest, JsonObject
from domain.models.served_model import ServedModel

# What Google is to block and what not, in its own words.
_SAFETY_OPTION = "safety_settings"
_TIERS = {
    "default": "standard",
    "standard_only": "standard",
    "standard": "standard",
    "flex": "flex",
    "priority": "priority",
}


def request_body(request: GenerationRequest, model: ServedModel) -> bytes:
    """The model and the wish for a stream are in the path, not in the body."""
    upstream_name = model.upstream_name
    extras_for(NAME, request)
    body: JsonObject = {
        "contents": contents(request.turns, needs_signatures=thinks_in_levels(upstream_name))
    }
    instruction = system_instruction(request.turns)
    if instruction is not None:
        body["systemInstruction"] = instruction
    body |= tool_members(request)
    config = generation_config(request, upstream_name)
    if config:
        body["generationConfig"] = config
    safety = own_option(model, _SAFETY_OPTION, list)
    if safety:
        body["safetySettings"] = safety
    tier = _tier(request.service_tier)
    if tier is not None:
        body["serviceTier"] = tier
    return msgspec.json.encode(body)


def _tier(wanted: str | None) -> str | None:
    """One that Google does not know is a wish for speed, which changes no answer."""
    return _TIERS.get(wanted or "")
