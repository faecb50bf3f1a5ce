from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.models.route import GuardrailPolicy, PiiAction

_BY_STRICTNESS = (PiiAction.REPORT, PiiAction.REDACT, PiiAction.REFUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is looked for on one side of a call: ``actions`` is what is done about each kind of
    personal data."""

    actions: Mapping[str, PiiAction]
    denied: tuple[str, ...] = ()
    max_input: int | None = None


def rules_of(policies: Iterable[GuardrailPolicy], *, is_input: bool) -> Rules:
    """What several policies want together: all that one of them denies is denied, and about the
    same personal data the strictest is right."""
    actions: dict[str, PiiAction] = {}
    denied: dict[str, None] = {}
    bounds: list[int] = []
    for policy in policies:
        if is_input and policy.max_input is not None:
            bounds.append(policy.max_input)
        if not (policy.on_input if is_input else policy.on_output):
            continue
        denied |= dict.fromkeys(policy.denied)
        for kind in policy.pii:
            known = actions.get(kind, policy.pii_action)
            actions[kind] = max(known, policy.pii_action, key=_BY_STRICTNESS.index)
    return Rules(actions=actions, denied=tuple(denied), max_input=min(bounds, default=None))
