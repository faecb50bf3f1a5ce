import re
from collections.abc import Callable
from decimal import Decimal

from adapters.catalog.fields import Fields
from adapters.dialects.guarding.json_schemas import JsonSchemaValidators
from domain.models.registry.route_rules import Found, reference_problems, route_problems
from domain.models.route import (
    Arm,
    CachePolicy,
    GuardrailPolicy,
    PiiAction,
    RetryPolicy,
    Route,
    RouteTimeouts,
    Split,
    SplitBy,
    Strategy,
    Target,
)
from domain.models.served_model import ModelKind

_KEY = re.compile(r"\w+")


def read_route(fields: Fields, *, is_public: bool) -> Route | None:
    """``None`` when it has no name, which is then noted like all else."""
    name = fields.text("name", required=True)
    retry, timeouts = fields.fields("retry"), fields.fields("timeouts")
    route = Route(
        name=name or "?",
        kind=fields.choice("kind", ModelKind) or ModelKind.CHAT,
        targets=_read_targets(fields),
        aliases=tuple(text for text, _ in fields.texts("aliases")),
        is_public=is_public,
        is_enabled=fields.flag("enabled") is not False,
        strategy=fields.choice("strategy", Strategy) or Strategy.PRIORITY,
        fallbacks=tuple(text for text, _ in fields.texts("fallbacks")),
        retry=RetryPolicy() if retry is None else _read_retry(retry),
        timeouts=RouteTimeouts() if timeouts is None else _read_timeouts(timeouts),
        hedge_after_ms=fields.whole("hedge_after_ms"),
        health_check_s=_count_or_none(fields, "health_check_s"),
        split=_read_split(fields.fields("split")),
        cache=_read_cache(fields.fields("cache")),
        guardrails=_read_guardrails(fields.fields("guardrails")),
    )
    fields.end()
    if name is None:
        return None
    for field, message in route_problems(route):
        _note(fields, field, message)
    return route


def note_references(fields: Fields, route: Route, find: Callable[[str], Found]) -> None:
    """Note what the route names that is not there, or not of its kind."""
    for field, message in reference_problems(route, find):
        _note(fields, field, message)


def _note(fields: Fields, field: str, message: str) -> None:
    key = _KEY.match(field)
    fields.note(key[0] if key else field, message)


def _read_targets(fields: Fields) -> tuple[Target, ...]:
    """Each is a mapping, or just the name of a model."""
    targets: list[Target] = []
    for entry in fields.entries("targets", required=True):
        if isinstance(entry, str):
            targets.append(Target(model=entry))
            continue
        targets.append(
            Target(
                model=entry.text("model", required=True) or "?",
                weight=_count(entry, "weight", 1),
                priority=_count(entry, "priority", 0),
            )
        )
        entry.end()
    return tuple(targets)


def _read_retry(fields: Fields) -> RetryPolicy:
    usual = RetryPolicy()
    retry = RetryPolicy(
        attempts=fields.whole("attempts") or usual.attempts,
        backoff_ms=_count(fields, "backoff_ms", usual.backoff_ms),
        max_backoff_ms=_count(fields, "max_backoff_ms", usual.max_backoff_ms),
    )
    fields.end()
    return retry


def _read_timeouts(fields: Fields) -> RouteTimeouts:
    seconds = {key: fields.decimal(key) for key in ("first_token", "between_tokens", "total")}
    fields.end()
    return RouteTimeouts(
        **{key: float(value) for key, value in seconds.items() if value is not None}
    )


def _read_split(fields: Fields | None) -> Split | None:
    if fields is None:
        return None
    by = fields.choice("by", SplitBy, required=True)
    salt = fields.text("salt") or ""
    arms: list[Arm] = []
    for entry in fields.entries("arms", required=True):
        if isinstance(entry, str):
            fields.note("arms", "must be mappings with 'name' and 'model'")
            continue
        arms.append(
            Arm(
                name=entry.text("name", required=True) or "?",
                model=entry.text("model", required=True) or "?",
                weight=_count(entry, "weight", 1),
            )
        )
        entry.end()
    fields.end()
    return Split(by=by or SplitBy.USER, arms=tuple(arms), salt=salt)


def _read_cache(fields: Fields | None) -> CachePolicy | None:
    if fields is None:
        return None
    if not fields.has("ttl_s"):
        fields.note("ttl_s", "is missing", fields.node)
    threshold = fields.decimal("semantic_threshold")
    policy = CachePolicy(
        ttl_s=fields.whole("ttl_s") or 1,
        semantic_threshold=None if threshold is None else float(threshold),
    )
    fields.end()
    return policy


def _read_guardrails(fields: Fields | None) -> GuardrailPolicy | None:
    if fields is None:
        return None
    schema = fields.fields("output_schema")
    wrong = None if schema is None else JsonSchemaValidators().problem(schema.plain())
    if wrong is not None:
        fields.note("output_schema", wrong)
    policy = GuardrailPolicy(
        max_input=fields.whole("max_input"),
        denied=tuple(text for text, _ in fields.texts("denied")),
        pii=tuple(text for text, _ in fields.texts("pii")),
        pii_action=fields.choice("pii_action", PiiAction) or PiiAction.REDACT,
        output_schema=None if schema is None else schema.plain(),
        on_input=fields.flag("on_input") is not False,
        on_output=fields.flag("on_output") is not False,
    )
    fields.end()
    return policy


def _count(fields: Fields, key: str, usual: int) -> int:
    count = _count_or_none(fields, key)
    return usual if count is None else count


def _count_or_none(fields: Fields, key: str) -> int | None:
    """A whole number of zero or more."""
    number = fields.decimal(key)
    if number is None:
        return None
    if number != number.to_integral_value() or number > Decimal(10**9):
        fields.note(key, "must be a whole number")
        return None
    return int(number)
