"""How much a model is to think: each maker has its own words, which Converse hands on."""

from adapters.dialects.bedrock.families import Family
from adapters.dialects.fields import unsupported
from domain.inference.conversation.request import JsonObject, Reasoning

# Claude's smallest budget and what is usual for the others.
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 32_768}
_EFFORTS = ("low", "medium", "high")


def thinking_fields(
    reasoning: Reasoning, family: Family, max_output_tokens: int | None
) -> JsonObject:
    if not reasoning.is_enabled or reasoning.effort == "none":
        return _off(family)
    if family is Family.CLAUDE:
        return {"thinking": _claude(reasoning, max_output_tokens)}
    effort = reasoning.effort
    if effort not in _EFFORTS:
        param = "thinking" if effort is None else "reasoning_effort"
        raise unsupported(param, f"it must be an effort: {', '.join(_EFFORTS)}")
    if family is Family.NOVA:
        return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}
    if family is Family.GPT:
        return {"reasoning_effort": effort}
    raise unsupported("reasoning_effort")


def _off(family: Family) -> JsonObject:
    if family is Family.CLAUDE:
        return {"thinking": {"type": "disabled"}}
    if family is Family.NOVA:
        return {"reasoningConfig": {"type": "disabled"}}
    if family is Family.GPT:
        raise unsupported("reasoning_effort", "it cannot be 'none'")
    return {}


def _claude(reasoning: Reasoning, max_output_tokens: int | None) -> JsonObject:
    if reasoning.is_adaptive:
        return {"type": "adaptive"}
    budget = reasoning.budget_tokens
    if budget is None:
        if reasoning.effort not in _BUDGETS:
            raise unsupported("reasoning_effort", f"it must be one of {', '.join(_BUDGETS)}")
        budget = _BUDGETS[reasoning.effort]
        if max_output_tokens is not None:
            # Thoughts are part of the output, and must leave room for an answer.
            budget = max(_BUDGETS["minimal"], min(budget, max_output_tokens // 2))
    return {"type": "enabled", "budget_tokens": budget}
