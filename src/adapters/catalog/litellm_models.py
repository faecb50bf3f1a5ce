"""What a LiteLLM proxy says of a model, as Stoa says it."""

import re
from typing import Any

from adapters.catalog.litellm_numbers import number, numbers_taken
from adapters.catalog.litellm_prices import is_price, prices_taken
from adapters.catalog.litellm_reasons import UNKNOWN
from domain.models.served_model import Capability

_MODES = {
    "chat": "chat",
    "completion": "chat",
    "responses": "chat",
    "embedding": "embedding",
    "rerank": "rerank",
    "moderation": "moderation",
    "image_generation": "image",
    "audio_transcription": "transcription",
    "audio_speech": "speech",
}
# There, a model without a mode is looked up in a table of models.
_BY_NAME = (
    ("rerank", re.compile(r"rerank")),
    ("embedding", re.compile(r"embed|\b(bge|gte|e5|voyage)-|minilm")),
    ("audio_transcription", re.compile(r"whisper|transcribe")),
    ("audio_speech", re.compile(r"(^|[-_/.])tts([-_/.]|$)")),
    ("image_generation", re.compile(r"dall-?e|gpt-image|imagen|stable-(diffusion|image)")),
    ("moderation", re.compile(r"moderation")),
    ("realtime", re.compile(r"realtime")),
)
_CAPABILITIES = {
    "supports_function_calling": Capability.TOOLS,
    "supports_vision": Capability.IMAGES,
    "supports_audio_input": Capability.AUDIO,
    "supports_pdf_input": Capability.FILES,
    "supports_response_schema": Capability.JSON_SCHEMA,
    "supports_reasoning": Capability.REASONING,
}
_NUMBERS = {"max_input_tokens": "context_length", "max_output_tokens": "max_output_tokens"}
_LIMITS = {"rpm": "rpm", "tpm": "tpm", "max_parallel_requests": "concurrency"}
_CALLERS = "callers say it"
_BUDGETS = "budgets are of teams, users and keys: `stoa team set --budget`"
_AZURE = "Azure is asked with an 'api_key'"
_AMAZON = "Amazon is asked with an 'api_key', or an access key and its secret"
_ELSEWHERE = {
    "id": "models have ids of Stoa's own",
    "base_model": "prices are known by the deployment's name; set them where it says nothing",
    "max_tokens": "say 'context_length' or 'max_output_tokens', or callers do",
    "max_retries": "it is said of a route, as 'retry.attempts'",
    "weight": "only routes whose strategy is 'weighted' look at it",
    "order": "it has to be a whole number up to 999",
    "tags": "routes do not look at tags",
    "litellm_credential_name": "no such name is in 'credential_list'",
    "max_budget": _BUDGETS,
    "budget_duration": _BUDGETS,
    "access_groups": "keys have lists of the models that they may use",
    **dict.fromkeys(("azure_ad_token", "client_id", "client_secret", "tenant_id"), _AZURE),
    **dict.fromkeys(("azure_scope", "azure_username", "azure_password"), _AZURE),
    **dict.fromkeys(("aws_role_name", "aws_session_name", "aws_profile_name"), _AMAZON),
    **dict.fromkeys(("aws_web_identity_token", "aws_sts_endpoint", "aws_external_id"), _AMAZON),
    **dict.fromkeys(("temperature", "top_p", "seed", "stop", "user", "n"), _CALLERS),
    **dict.fromkeys(("frequency_penalty", "presence_penalty", "logit_bias"), _CALLERS),
    **dict.fromkeys(("reasoning_effort", "thinking", "response_format", "tools"), _CALLERS),
    **dict.fromkeys(("extra_body", "web_search_options", "max_completion_tokens"), _CALLERS),
}
_NUMERIC = frozenset(
    {*_LIMITS, *_NUMBERS, "weight", "timeout", "stream_timeout", "num_retries", "retry_after"}
)


def kind_of(upstream: str, info: dict[str, Any]) -> str | None:
    """``None`` for what Stoa has no models of; the mode stays where it is then."""
    mode = info.get("mode") or mode_by_name(f"{upstream} {info.get('base_model', '')}".lower())
    kind = _MODES.get(str(mode))
    if kind is None:
        info["mode"] = mode
    else:
        info.pop("mode", None)
    return kind


def mode_by_name(name: str) -> str:
    return next((mode for mode, pattern in _BY_NAME if pattern.search(name)), "chat")


def told_of(parameters: dict[str, Any], info: dict[str, Any], kind: str) -> dict[str, Any]:
    """What the file says of the model; what was read is taken out."""
    told: dict[str, Any] = _capabilities(info)
    told |= numbers_taken(info, _NUMBERS)
    told |= prices_taken(parameters, info, kind)
    limits = numbers_taken(parameters, _LIMITS)
    return told | ({"limits": limits} if limits else {})


def reason_for(key: str, value: object) -> str:
    if is_price(key):
        return "is no price of models of this kind, or stands alone; without prices data has them"
    if key in _CAPABILITIES:
        return "capabilities are said all or not at all: what is not among them is refused"
    if key in _NUMERIC and not number(value):
        return f"'{value}' is no number that it can be"
    return _ELSEWHERE.get(key, UNKNOWN)


def _capabilities(info: dict[str, Any]) -> dict[str, Any]:
    """There, what is not said is known from elsewhere; here it would be refused."""
    if not all(isinstance(info.get(theirs), bool) for theirs in _CAPABILITIES):
        return {}
    able = [ours.value for theirs, ours in _CAPABILITIES.items() if info.pop(theirs)]
    return {"capabilities": able}
