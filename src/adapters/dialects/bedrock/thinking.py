"""How much a model is to think: each maker has its own words, which Converse hands on."""

import re
from dataclasses import replace

from adapters.dialects.anthropic.thinking import BUDGET, THINKING_OPTION, write_thinking
from adapters.dialects.bedrock.families import Family
from adapters.dialects.fields import unsupported
from domain.inference.conversation.request import GenerationRequest, JsonObject, Reasoning
from domain.models.served_model import ServedModel

# Before 4.6, Claude is told a number of tokens, and no effort.
_BY_BUDGET = re.compile(r"claude-(?:3-7|(?:opus|sonnet|haiku)-4-(?:\d{8}|[015]-))")
_EFFORTS = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
_LOW_BUDGET, _MEDIUM_BUDGET = 4096, 16_384
# What an answer may have where the request does not say it.
_USUAL_LIMIT = 64_000


def thinking_fields(request: GenerationRequest, model: ServedModel, family: Family) -> JsonObject:
    reasoning = request.reasoning
    if reasoning is None:
        return {}
    if family is Family.CLAUDE:
        return _claude(request, model)
    effort = _effort(reasoning)
    if family is Family.NOVA:
        return {"reasoningConfig": _nova(effort)}
    if effort is None:
        # Leaving it to a model that knows no amounts is to say nothing.
        return {}
    if family is Family.GPT and effort != "none":
        return {"reasoning_effort": effort}
    if family is Family.OTHER and effort == "none":
        return {}
    raise unsupported("reasoning_effort", f"it cannot be '{effort}'")


def _claude(request: GenerationRequest, model: ServedModel) -> JsonObject:
    if THINKING_OPTION not in model.options and _BY_BUDGET.search(model.upstream_name):
        model = replace(model, options={**model.options, THINKING_OPTION: BUDGET})
    limit = request.max_output_tokens or model.max_output_tokens or _USUAL_LIMIT
    return write_thinking(request, model, limit)


def _nova(effort: str | None) -> JsonObject:
    if effort == "none":
        return {"type": "disabled"}
    return {"type": "enabled", "maxReasoningEffort": effort or "medium"}


def _effort(reasoning: Reasoning) -> str | None:
    """``None`` where the amount is left to the model."""
    if not reasoning.is_enabled or reasoning.effort == "none":
        return "none"
    if reasoning.effort is not None:
        if reasoning.effort not in _EFFORTS:
            raise unsupported("reasoning_effort", f"it must be one of {', '.join(_EFFORTS)}")
        return _EFFORTS[reasoning.effort]
    budget = reasoning.budget_tokens
    if budget is None:
        return None
    if budget <= _LOW_BUDGET:
        return "low"
    return "medium" if budget <= _MEDIUM_BUDGET else "high"
