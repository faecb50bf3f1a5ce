"""How much Anthropic's models are told to think."""

import re

from adapters.dialects.anthropic.words import NAME
from domain.inference.conversation.request import (
    GenerationRequest,
    JsonObject,
    Reasoning,
    ToolMode,
)
from domain.models.served_model import ServedModel

# Of a deployment's options: ``budget`` for older models, which are told a number of tokens and know
# neither an effort nor how to choose an amount by themselves; else it is told by their names.
THINKING_OPTION, BUDGET = "thinking", "budget"
_BY_BUDGET = re.compile(r"claude-(?:3-7|(?:opus|sonnet|haiku)-4-(?:\d{8}|[015](?:-|$)))")

_LEAST_BUDGET = 1024
_BUDGETS = {"low": 2048, "medium": 8192, "high": 16_384, "xhigh": 32_000, "max": 32_000}
_EFFORTS = {"minimal": "low"}


def write_thinking(request: GenerationRequest, model: ServedModel, limit: int) -> JsonObject:
    """The members of a request that say it; ``limit`` is that of the whole answer."""
    reasoning = request.reasoning
    if reasoning is None:
        return {}
    if _is_told_a_budget(model):
        return _with_budget(reasoning, limit)
    members: JsonObject = {}
    if reasoning.effort not in (None, "none"):
        effort = str(reasoning.effort)
        members["output_config"] = {"effort": _EFFORTS.get(effort, effort)}
    thinking = _thinking(reasoning)
    if thinking is None and request.dialect != NAME and not _is_forced(request):
        # In other formats, an effort is one of thinking.
        thinking = {"type": "adaptive"}
    return members if thinking is None else members | {"thinking": thinking}


def _is_told_a_budget(model: ServedModel) -> bool:
    if THINKING_OPTION in model.options:
        return model.options[THINKING_OPTION] == BUDGET
    return _BY_BUDGET.search(model.upstream_name) is not None


def _is_forced(request: GenerationRequest) -> bool:
    """Whether a tool must be called; Anthropic does not let a model think before that."""
    choice = request.tool_choice
    return choice is not None and choice.mode in (ToolMode.REQUIRED, ToolMode.NAMED)


def _thinking(reasoning: Reasoning) -> JsonObject | None:
    if not reasoning.is_enabled or reasoning.effort == "none":
        return {"type": "disabled"}
    found: JsonObject | None = None
    if reasoning.is_adaptive:
        found = {"type": "adaptive"}
    elif reasoning.budget_tokens is not None:
        found = {"type": "enabled", "budget_tokens": max(_LEAST_BUDGET, reasoning.budget_tokens)}
    if found is not None and reasoning.summary in ("summarized", "omitted"):
        found["display"] = reasoning.summary
    return found


def _with_budget(reasoning: Reasoning, limit: int) -> JsonObject:
    wanted = reasoning.budget_tokens
    if wanted is None:
        wanted = _BUDGETS.get(reasoning.effort or "medium", _LEAST_BUDGET)
    budget = min(wanted, limit - 1)
    if not reasoning.is_enabled or reasoning.effort == "none" or budget < _LEAST_BUDGET:
        return {"thinking": {"type": "disabled"}}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}
