"""What is exported makes the same true again."""

from decimal import Decimal
from pathlib import Path

import yaml

from adapters.catalog.catalog_file import read_team_file
from adapters.catalog.wanted import wanted_of
from adapters.catalog.writing import variable_for, write_registry
from application.models.applying.read_registry import TeamRegistry
from domain.models.prices import Prices, PriceTier
from domain.models.registry.model import ModelState, Visibility
from domain.models.route import (
    Arm,
    CachePolicy,
    GuardrailPolicy,
    RetryPolicy,
    RouteTimeouts,
    Split,
    SplitBy,
    Strategy,
    Target,
)
from domain.models.served_model import Capability, DeploymentLimits, ModelKind
from tests.registry_builders import a_provider, a_registered_model, a_registered_route

FAR = a_provider(
    name="far",
    type="ollama",
    configuration={"base_url": "https://a.example/$v1", "timeouts": {"total": 5}},
    credentials=("api_key", "headers.x-own"),
    is_enabled=False,
)
LARGE = a_registered_model(
    FAR,
    aliases=("big",),
    capabilities=frozenset({Capability.TOOLS}),
    context_length=1000,
    max_output_tokens=10,
    limits=DeploymentLimits(tpm=5),
    visibility=Visibility.PUBLIC,
    options={"note": "costs $5"},
)
VECTORS = a_registered_model(
    FAR,
    name="vectors",
    upstream_name="vectors",
    kind=ModelKind.EMBEDDING,
    state=ModelState.DISABLED,
    capabilities=frozenset(),
)
OLD = a_registered_model(FAR, name="old", state=ModelState.ARCHIVED)
ROUTE = a_registered_route(
    targets=(Target(model="large"), Target(model="elsewhere", weight=2)),
    strategy=Strategy.LOWEST_COST,
    fallbacks=("spare",),
    retry=RetryPolicy(attempts=7),
    timeouts=RouteTimeouts(total=2.5),
    hedge_after_ms=9,
    health_check_s=30,
    split=Split(by=SplitBy.USER, arms=(Arm(name="a", model="large"), Arm(name="b", model="c"))),
    cache=CachePolicy(ttl_s=3),
    guardrails=GuardrailPolicy(denied=("$ecret",), output_schema={"type": "object"}),
    is_enabled=False,
)
PRICES = Prices(
    input=Decimal("0.1"),
    output=Decimal(2),
    tiers=(PriceTier(above=200, prices=Prices(input=Decimal("0.2"), output=Decimal(4))),),
)
REGISTRY = TeamRegistry(
    providers=(FAR,), models=(LARGE, OLD, VECTORS), routes=(ROUTE,), prices={LARGE.id: PRICES}
)


def test_a_registry_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    file.write_text(write_registry(REGISTRY))

    wanted = wanted_of(read_team_file(file, {"FAR_API_KEY": "k", "FAR_HEADERS_X_OWN": "h"}))

    (provider,) = wanted.providers
    assert provider.configuration_and_secrets == {
        **FAR.configuration,
        "api_key": "k",
        "headers": {"x-own": "h"},
    }
    assert not provider.is_enabled
    large, vectors = wanted.models
    for draft, model in ((large, LARGE), (vectors, VECTORS)):
        for member in ("name", "aliases", "kind", "context_length", "limits", "state", "options"):
            assert getattr(draft, member) == getattr(model, member)
        assert (draft.upstream_name, draft.visibility) == (model.upstream_name, model.visibility)
        assert (draft.capabilities, draft.max_output_tokens) == (
            model.capabilities,
            model.max_output_tokens,
        )
    assert [route.name for route in wanted.routes] == ["any"]
    assert wanted.routes[0].guardrails == ROUTE.route.guardrails
    assert wanted.routes[0].split == ROUTE.route.split
    assert wanted.routes[0].targets == ROUTE.route.targets
    assert not wanted.routes[0].is_enabled
    assert wanted.prices == {"large": PRICES}


def test_variables_have_names_that_shells_take() -> None:
    assert variable_for("open.ai-2", "headers.x-key") == "${OPEN_AI_2_HEADERS_X_KEY}"
    assert variable_for("2nd", "api_key") == "${_2ND_API_KEY}"


def test_no_two_secrets_have_the_same_variable() -> None:
    providers = tuple(
        a_provider(name=name, credentials=("api_key", "headers.x-key", "headers.x_key"))
        for name in ("acme.eu", "acme-eu")
    )

    written = yaml.safe_load(
        write_registry(TeamRegistry(providers=providers, models=(), routes=(), prices={}))
    )

    keys = [one["api_key"] for one in written["providers"]]
    headers = [one["headers"] for one in written["providers"]]
    assert keys == ["${ACME_EU_API_KEY}", "${ACME_EU_API_KEY_2}"]
    assert headers == [
        {"x-key": "${ACME_EU_HEADERS_X_KEY}", "x_key": "${ACME_EU_HEADERS_X_KEY_2}"},
        {"x-key": "${ACME_EU_HEADERS_X_KEY_3}", "x_key": "${ACME_EU_HEADERS_X_KEY_4}"},
    ]
