"""Whatever a route says survives being exported and applied."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.catalog.catalog_file import read_team_file
from adapters.catalog.writing import write_registry
from application.models.applying.read_registry import TeamRegistry
from domain.models.registry.route_rules import PII_KINDS, route_problems
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
from tests.registry_builders import a_registered_route

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8)
_NAMES = st.sampled_from(["a", "b", "0", "1.5", "yes", "null", "x-y", "a:b"])
_WHOLE = st.integers(0, 900)
_SECONDS = st.none() | st.floats(0.001, 900).map(lambda one: round(one, 3))


def _some(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, unique=True, max_size=3).map(tuple)


ROUTES = st.builds(
    Route,
    name=st.just("way"),
    kind=st.sampled_from(ModelKind),
    targets=st.lists(
        st.builds(Target, model=_NAMES, weight=_WHOLE, priority=_WHOLE),
        min_size=1,
        max_size=3,
        unique_by=lambda one: one.model,
    ).map(tuple),
    aliases=_some(st.sampled_from(["path", "no", "12"])),
    is_public=st.booleans(),
    is_enabled=st.booleans(),
    strategy=st.sampled_from(Strategy),
    fallbacks=_some(_NAMES),
    retry=st.builds(
        RetryPolicy,
        attempts=st.integers(1, 20),
        backoff_ms=_WHOLE,
        max_backoff_ms=st.integers(900, 9000),
    ),
    timeouts=st.builds(
        RouteTimeouts, first_token=_SECONDS, between_tokens=_SECONDS, total=_SECONDS
    ),
    hedge_after_ms=st.none() | st.integers(1, 900),
    health_check_s=st.none() | _WHOLE,
    split=st.none()
    | st.builds(
        Split,
        by=st.sampled_from(SplitBy),
        arms=st.lists(
            st.builds(Arm, name=_TEXT, model=_NAMES, weight=_WHOLE),
            min_size=2,
            max_size=3,
            unique_by=lambda one: one.name,
        ).map(tuple),
        salt=st.just("") | _TEXT,
    ),
    cache=st.none()
    | st.builds(
        CachePolicy,
        ttl_s=st.integers(1, 900),
        semantic_threshold=st.none() | st.sampled_from([0.5, 0.925, 1.0]),
    ),
    guardrails=st.none()
    | st.builds(
        GuardrailPolicy,
        max_input=st.none() | st.integers(1, 900),
        denied=_some(_TEXT.filter(str.strip)),
        pii=_some(st.sampled_from(sorted(PII_KINDS))),
        pii_action=st.sampled_from(PiiAction),
        output_schema=st.none()
        | st.sampled_from([{}, {"type": "object"}, {"enum": ["$x", None, 1, 0.5, "on"]}]),
        on_input=st.booleans(),
        on_output=st.booleans(),
    ),
).filter(lambda route: not route_problems(route))


@settings(max_examples=20, deadline=None)
@given(route=ROUTES)
def test_a_route_comes_back_with_all_that_it_says(route: Route) -> None:
    registered = replace(a_registered_route(), route=route)
    text = write_registry(TeamRegistry(providers=(), models=(), routes=(registered,), prices={}))

    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "team.yaml"
        file.write_text(text)
        read = read_team_file(file, {})

    assert read.routes == (route,)
