"""What takes over for what, of a LiteLLM proxy."""

from collections.abc import Mapping
from typing import Any

from adapters.catalog.litellm_routing import Routing

Entry = dict[str, Any]
_ATTEMPTS = 3
_MOST_ATTEMPTS = 20


def carry_fallbacks(
    models: list[Entry],
    routes: list[Entry],
    routing: Routing,
    left_out: list[tuple[str, str]],
) -> None:
    """Adds them to the routes. There, two may fall back to each other; here that would be a
    circle, so such a one falls back to the deployments of the other."""
    entries = {one["name"]: one for one in (*models, *routes)}
    by_name = entries | {alias: one for one in entries.values() for alias in one.get("aliases", ())}
    routed = {route["name"]: route for route in routes}
    usable: dict[str, list[str]] = {}
    for name, others in routing.fallbacks.items():
        if name not in routed:
            left_out.append((f"fallbacks.{name}", "is no model that was carried over"))
            continue
        for other in others:
            reason = _reason(routed[name], by_name.get(other))
            if reason is None:
                usable.setdefault(name, []).append(by_name[other]["name"])
            else:
                left_out.append((f"fallbacks.{name}", f"'{other}' {reason}"))
    for name, others in usable.items():
        found: list[str] = []
        for other in others:
            if _leads_to(other, name, usable):
                found += [target["model"] for target in routed[other]["targets"]]
            else:
                found.append(other)
        own = {target["model"] for target in routed[name]["targets"]}
        routed[name]["fallbacks"] = [one for one in dict.fromkeys(found) if one not in own]
        _let_all_have_their_turn(routed[name])


def _let_all_have_their_turn(route: Entry) -> None:
    """There, whoever takes over may be asked as often; here, attempts are counted together."""
    retry = route.get("retry", {})
    attempts = retry.get("attempts", _ATTEMPTS) * (1 + len(route["fallbacks"]))
    route["retry"] = {**retry, "attempts": min(attempts, _MOST_ATTEMPTS)}


def _reason(route: Entry, other: Entry | None) -> str | None:
    """Why the one cannot take over for the other."""
    if other is None:
        return "is no model that was carried over"
    if other is route:
        return "is the model itself"
    kind = other.get("kind", "chat")
    return None if kind == route.get("kind", "chat") else f"is of the kind '{kind}'"


def _leads_to(start: str, end: str, usable: Mapping[str, list[str]]) -> bool:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        at = ahead.pop()
        if at == end:
            return True
        if at not in seen:
            seen.add(at)
            ahead += usable.get(at, [])
    return False
