"""How much Gemini is to think: in levels since its third generation, in tokens before."""

import re

from adapters.dialects.fields import unsupported
from domain.inference.conversation.request import JsonObject, Reasoning

_BY_TOKENS = re.compile(r"(?:^|/)gemini-[12](?:\.|-)")
# The budgets that Google itself takes OpenAI's words for.
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576}
_LEVELS = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
# There is nothing above it.
_MOST = dict.fromkeys(("xhigh", "max"), "high")
_AUTOMATIC = -1
_HIDDEN = frozenset({"none", "omitted"})


def thinks_in_levels(upstream_name: str) -> bool:
    return not _BY_TOKENS.search(upstream_name)


def thinking_config(reasoning: Reasoning, upstream_name: str) -> JsonObject:
    if not reasoning.is_enabled or reasoning.effort == "none":
        return {"thinkingBudget": 0}
    config = _amount(reasoning, upstream_name)
    # Who only said how much to think did not ask to see the thoughts.
    shown = reasoning.summary or reasoning.budget_tokens or reasoning.is_adaptive
    if shown and reasoning.summary not in _HIDDEN:
        config["includeThoughts"] = True
    return config


def _amount(reasoning: Reasoning, upstream_name: str) -> JsonObject:
    if reasoning.budget_tokens is not None:
        return {"thinkingBudget": reasoning.budget_tokens}
    effort = reasoning.effort
    if effort is None:
        return {"thinkingBudget": _AUTOMATIC} if reasoning.is_adaptive else {}
    effort = _MOST.get(effort, effort)
    if effort not in _BUDGETS:
        raise unsupported("reasoning_effort", f"it cannot be '{effort}'")
    if thinks_in_levels(upstream_name):
        return {"thinkingLevel": _LEVELS[effort]}
    return {"thinkingBudget": _BUDGETS[effort]}
