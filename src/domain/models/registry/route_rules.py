"""What a route may say, wherever it was written."""

from collections.abc import Callable, Iterable, Iterator

from domain.models.registry.free_form import free_form_problem
from domain.models.registry.names import Problem, model_name_problems
from domain.models.route import GuardrailPolicy, Route
from domain.models.served_model import ServedModel
from domain.shared.folding import is_seen

MOST_TARGETS = 50
MOST_ATTEMPTS = 20
LONGEST_BACKOFF_MS = 300_000
LONGEST_S = 86_400
MOST_DENIED = 1_000
PII_KINDS = frozenset({"email", "phone", "credit_card", "iban", "ip_address", "secret"})

Found = ServedModel | Route | None


def route_problems(route: Route) -> list[Problem]:
    """What is wrong with the route itself, by field."""
    return [
        *model_name_problems(route.name, route.aliases),
        *_target_problems(route),
        *_trying_problems(route),
        *_split_problems(route),
        *_cache_problems(route),
        *_of_guardrails(route),
    ]


def reference_problems(route: Route, find: Callable[[str], Found]) -> list[Problem]:
    """What is wrong with what the route names. ``find`` looks up models and other routes as they
    will be beside it; the route itself need not be among them."""
    problems: list[Problem] = []
    arms = route.split.arms if route.split else ()
    targets = [(f"targets[{i}].model", one.model) for i, one in enumerate(route.targets)]
    targets += [(f"split.arms[{i}].model", one.model) for i, one in enumerate(arms)]
    for field, name in targets:
        found = None if name in route.names else find(name)
        if not isinstance(found, ServedModel):
            problems.append((field, f"names '{name}', which is no model"))
        elif found.kind is not route.kind:
            problems.append((field, f"names '{name}', which is of the kind '{found.kind}'"))
    for position, name in enumerate(route.fallbacks):
        problems += _fallback_problems(route, f"fallbacks[{position}]", name, find)
    return problems


def _fallback_problems(
    route: Route, field: str, name: str, find: Callable[[str], Found]
) -> list[Problem]:
    found = route if name in route.names else find(name)
    if found is None:
        return [(field, f"names '{name}', which is neither a model nor a route")]
    if found.kind is not route.kind:
        return [(field, f"names '{name}', which is of the kind '{found.kind}'")]
    if isinstance(found, Route) and _comes_back(found, route, find, set()):
        return [(field, f"names '{name}', which falls back to this route")]
    return []


def _comes_back(at: Route, home: Route, find: Callable[[str], Found], seen: set[str]) -> bool:
    if at.name == home.name:
        return True
    if at.name in seen:
        return False
    seen.add(at.name)
    for name in at.fallbacks:
        if name in home.names:
            return True
        found = find(name)
        if isinstance(found, Route) and _comes_back(found, home, find, seen):
            return True
    return False


def _target_problems(route: Route) -> Iterator[Problem]:
    if not 1 <= len(route.targets) <= MOST_TARGETS:
        yield "targets", f"must be 1 to {MOST_TARGETS} models"
    if len({target.model for target in route.targets}) < len(route.targets):
        yield "targets", "name a model twice"
    for position, target in enumerate(route.targets):
        yield from _within(f"targets[{position}].weight", target.weight, 0, 1_000_000)
        yield from _within(f"targets[{position}].priority", target.priority, 0, 1_000)
    if route.targets and not any(target.weight for target in route.targets):
        yield "targets", "need a weight above zero somewhere"
    if len(set(route.fallbacks)) < len(route.fallbacks):
        yield "fallbacks", "repeat a name"
    if len(route.fallbacks) > MOST_TARGETS:
        yield "fallbacks", f"may be {MOST_TARGETS} at most"


def _trying_problems(route: Route) -> Iterator[Problem]:
    retry, timeouts = route.retry, route.timeouts
    yield from _within("retry.attempts", retry.attempts, 1, MOST_ATTEMPTS)
    yield from _within("retry.backoff_ms", retry.backoff_ms, 0, LONGEST_BACKOFF_MS)
    yield from _within("retry.max_backoff_ms", retry.max_backoff_ms, 0, LONGEST_BACKOFF_MS)
    if retry.max_backoff_ms < retry.backoff_ms:
        yield "retry.max_backoff_ms", "must not be below 'backoff_ms'"
    for name in ("first_token", "between_tokens", "total"):
        seconds = getattr(timeouts, name)
        if seconds is not None and not 0 < seconds <= LONGEST_S:
            yield f"timeouts.{name}", f"must be above zero and {LONGEST_S} seconds at most"
    if route.hedge_after_ms is not None:
        yield from _within("hedge_after_ms", route.hedge_after_ms, 1, LONGEST_S * 1_000)
    if route.health_check_s is not None:
        yield from _within("health_check_s", route.health_check_s, 0, LONGEST_S)


def _split_problems(route: Route) -> Iterator[Problem]:
    if route.split is None:
        return
    arms = route.split.arms
    if not 2 <= len(arms) <= MOST_TARGETS:  # noqa: PLR2004 - a comparison has two sides
        yield "split.arms", f"must be 2 to {MOST_TARGETS}"
    if len({arm.name for arm in arms}) < len(arms):
        yield "split.arms", "repeat a name"
    for position, arm in enumerate(arms):
        if not 1 <= len(arm.name) <= 100 or not arm.name.isprintable():  # noqa: PLR2004
            yield f"split.arms[{position}].name", "must have 1 to 100 printable characters"
        yield from _within(f"split.arms[{position}].weight", arm.weight, 0, 1_000_000)
    if len(route.split.salt) > 100 or not route.split.salt.isprintable():  # noqa: PLR2004
        yield "split.salt", "must have 100 printable characters at most"
    if arms and not any(arm.weight for arm in arms):
        yield "split.arms", "need a weight above zero somewhere"


def _cache_problems(route: Route) -> Iterator[Problem]:
    if route.cache is None:
        return
    yield from _within("cache.ttl_s", route.cache.ttl_s, 1, 365 * LONGEST_S)
    threshold = route.cache.semantic_threshold
    if threshold is not None and not 0 < threshold <= 1:
        yield "cache.semantic_threshold", "must be above 0 and at most 1"


def _of_guardrails(route: Route) -> Iterator[Problem]:
    if route.guardrails is not None:
        for field, message in guardrail_problems(route.guardrails):
            yield f"guardrails.{field}", message


def guardrail_problems(rules: GuardrailPolicy) -> Iterator[Problem]:
    """What is wrong with guardrails, wherever they stand."""
    if rules.max_input is not None:
        yield from _within("max_input", rules.max_input, 1, 100_000_000)
    wrong = free_form_problem(rules.denied)
    if wrong is not None or len(rules.denied) > MOST_DENIED:
        yield "denied", wrong or f"may be {MOST_DENIED} at most"
    if not all(map(is_seen, rules.denied)):
        yield "denied", "must not be blank"
    if (wrong := free_form_problem(rules.output_schema)) is not None:
        yield "output_schema", wrong
    unknown = sorted(set(rules.pii) - PII_KINDS)
    if unknown:
        yield "pii", "must be among " + ", ".join(sorted(PII_KINDS))


def _within(field: str, number: int, least: int, most: int) -> Iterable[Problem]:
    if not least <= number <= most:
        yield field, f"must be a whole number from {least} to {most}"
