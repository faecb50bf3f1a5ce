"""Routes and the newer keys of models, as files have them."""

from pathlib import Path

import pytest

from adapters.catalog.catalog_file import CatalogFile, load_catalog, read_team_file
from adapters.catalog.definitions import LoadedCatalog
from adapters.catalog.file_model_catalog import FileModelCatalog
from domain.models.errors import CatalogError
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
from domain.models.served_model import Capability, DeploymentLimits, ModelKind
from tests.builders import TEAM_ID

HEAD = """
providers:
  - {name: script, type: scripted}
models:
  - {name: a, provider: script}
  - {name: b, provider: script}
"""
WHOLE = """
routes:
  - name: way
    aliases: [path]
    kind: chat
    enabled: false
    strategy: weighted
    targets: [a, {model: b, weight: 0, priority: 2}]
    fallbacks: [a]
    retry: {attempts: 5, backoff_ms: 0, max_backoff_ms: 10}
    timeouts: {first_token: 1.5, total: 60}
    hedge_after_ms: 300
    health_check_s: 30
    split: {by: user, salt: s, arms: [{name: x, model: a, weight: 9}, {name: y, model: b}]}
    cache: {ttl_s: 60, semantic_threshold: 0.95}
    guardrails: {max_input: 10, denied: [never], pii: [email], pii_action: refuse,
                 output_schema: {type: object}, on_input: false}
"""


def load(tmp_path: Path, text: str) -> LoadedCatalog:
    file = tmp_path / "stoa.yaml"
    file.write_text(text)
    return load_catalog(file, {})


def team(tmp_path: Path, text: str, **variables: str) -> CatalogFile:
    file = tmp_path / "team.yaml"
    file.write_text(text)
    return read_team_file(file, variables)


def test_a_route_comes_with_all_that_is_said_of_it(tmp_path: Path) -> None:
    catalog = load(tmp_path, HEAD + WHOLE)

    assert catalog.routes == (
        Route(
            name="way",
            aliases=("path",),
            kind=ModelKind.CHAT,
            is_enabled=False,
            strategy=Strategy.WEIGHTED,
            targets=(Target(model="a"), Target(model="b", weight=0, priority=2)),
            fallbacks=("a",),
            retry=RetryPolicy(attempts=5, backoff_ms=0, max_backoff_ms=10),
            timeouts=RouteTimeouts(first_token=1.5, total=60),
            hedge_after_ms=300,
            health_check_s=30,
            split=Split(
                by=SplitBy.USER,
                salt="s",
                arms=(Arm(name="x", model="a", weight=9), Arm(name="y", model="b")),
            ),
            cache=CachePolicy(ttl_s=60, semantic_threshold=0.95),
            guardrails=GuardrailPolicy(
                max_input=10,
                denied=("never",),
                pii=("email",),
                pii_action=PiiAction.REFUSE,
                output_schema={"type": "object"},
                on_input=False,
            ),
        ),
    )
    assert FileModelCatalog(catalog).route("path", TEAM_ID) is catalog.routes[0]


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ("{targets: [a]}", "'name' is missing"),
        ("{name: r}", "'targets' is missing"),
        ("{name: r, targets: [nobody]}", "'targets' names 'nobody', which is no model"),
        ("{name: a, targets: [b]}", "'name' repeats 'a'"),
        (
            "{name: r, targets: [a], guardrails: {output_schema: {type: objct}}}",
            "'output_schema' must be a valid JSON schema (at '/type')",
        ),
        ("{name: r, targets: [a], speed: 1}", "'speed' is not known"),
        ("{name: r, targets: [{model: a, wait: 1}]}", "'wait' is not known"),
        ("{name: r, targets: [a], strategy: luck}", "'strategy' must be one of"),
        ("{name: r, targets: [a], retry: {attempts: 99}}", "'retry' must be a whole number from"),
        ("{name: r, targets: [a], cache: {}}", "'ttl_s' is missing"),
        ("{name: r, targets: [{model: a, weight: 1.5}]}", "'weight' must be a whole number"),
        ("{name: r, targets: [a], fallbacks: [r]}", "which falls back to this route"),
        ("{name: r, targets: [a], visibility: public}", "is for the registries of teams"),
    ],
)
def test_what_is_wrong_with_a_route_is_told_with_its_line(
    tmp_path: Path, route: str, told: str
) -> None:
    with pytest.raises(CatalogError) as error:
        load(tmp_path, f"{HEAD}routes:\n  - {route}\n")

    assert told in error.value.message
    assert error.value.line == 8


def test_a_route_may_have_its_deployments_never_asked_for_a_sign(tmp_path: Path) -> None:
    catalog = load(tmp_path, HEAD + WHOLE.replace("health_check_s: 30", "health_check_s: 0"))

    assert catalog.routes[0].health_check_s == 0


def test_a_model_says_what_it_can_do_and_take(tmp_path: Path) -> None:
    catalog = load(
        tmp_path,
        """
providers:
  - {name: script, type: scripted}
models:
  - name: a
    provider: script
    capabilities: [tools, images]
    max_output_tokens: 100
    limits: {rpm: 5, concurrency: 2}
    enabled: false
""",
    )

    (model,) = catalog.models
    assert model.capabilities == frozenset({Capability.TOOLS, Capability.IMAGES})
    assert model.max_output_tokens == 100
    assert model.limits == DeploymentLimits(rpm=5, concurrency=2)
    assert not model.is_enabled
    assert model.runs_here


def test_a_provider_that_is_switched_off_takes_its_models_along(tmp_path: Path) -> None:
    catalog = load(tmp_path, HEAD.replace("type: scripted", "type: scripted, enabled: false"))

    assert [model.is_enabled for model in catalog.models] == [False, False]


def test_a_teams_file_may_name_what_is_elsewhere_and_say_who_sees_it(tmp_path: Path) -> None:
    text = HEAD.replace("{name: a,", "{name: a, visibility: public,")

    read = team(tmp_path, f"{text}routes:\n  - {{name: r, targets: [elsewhere]}}\n")

    assert [model.is_public for model in read.models] == [True, False]
    assert read.routes[0].targets == (Target(model="elsewhere"),)
    assert not read.routes[0].is_public


def test_what_a_file_says_of_a_provider_is_kept_with_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    read = team(
        tmp_path,
        """
providers:
  - name: far
    type: openai-compatible
    base_url: https://a.example/v1
    api_key: ${KEY}
    ca_file: ca.pem
    timeouts: {total: 5}
models: []
""",
        KEY="s3cret",
    )

    (provider,) = read.providers
    assert provider.given == {
        "base_url": "https://a.example/v1",
        "api_key": "s3cret",
        "ca_file": str(tmp_path / "ca.pem"),
        "timeouts": {"total": 5},
    }
    assert "s3cret" not in repr(read)
