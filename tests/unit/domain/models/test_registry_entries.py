from dataclasses import replace
from typing import Any

import pytest

from domain.models.registry.free_form import MAX_BYTES, free_form_problem
from domain.models.registry.model import ModelState
from domain.models.registry.serving import served
from domain.models.served_model import Capability, DeploymentLimits, ModelKind
from domain.shared.errors import ConflictError, InvalidError
from tests.registry_builders import a_provider, a_registered_model

PROVIDER = a_provider()
MODEL = a_registered_model(PROVIDER)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"aliases": ("a b",)}, "aliases"),
        ({"aliases": tuple(f"a{n}" for n in range(21))}, "aliases"),
        ({"aliases": ("default",)}, "aliases"),
        ({"upstream_name": ""}, "upstream_name"),
        ({"upstream_name": "a\nb"}, "upstream_name"),
        ({"context_length": 0}, "context_length"),
        ({"max_output_tokens": 10**10}, "max_output_tokens"),
        ({"limits": DeploymentLimits(concurrency=0)}, "limits.concurrency"),
        ({"options": {"a": "x" * MAX_BYTES}}, "options"),
        (
            {"kind": ModelKind.IMAGE, "capabilities": frozenset({Capability.TOOLS})},
            "capabilities",
        ),
    ],
)
def test_what_is_wrong_with_a_model_is_named(members: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as error:
        replace(MODEL, **members).check()

    assert [one.field for one in error.value.errors] == [field]


def test_what_is_wrong_with_a_provider_is_named() -> None:
    with pytest.raises(InvalidError) as error:
        replace(PROVIDER, name="-", configuration={"a": "\0"}).check()

    assert [one.field for one in error.value.errors] == ["name", "configuration"]
    PROVIDER.check()
    MODEL.check()


def test_an_archived_model_does_not_change() -> None:
    MODEL.must_not_be_archived()

    with pytest.raises(ConflictError):
        replace(MODEL, state=ModelState.ARCHIVED).must_not_be_archived()


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()])
def test_what_is_no_json_cannot_be_stored(value: object) -> None:
    assert free_form_problem({"a": value}) == "must be JSON"


def test_secrets_in_mappings_belong_to_their_key() -> None:
    provider = replace(PROVIDER, credentials=("api_key", "headers.x-own", "headers.x-team"))

    assert provider.secret_keys == {"api_key", "headers"}
    assert str(provider.id) in provider.place


@pytest.mark.parametrize(
    ("state", "provider_enabled", "enabled"),
    [
        (ModelState.ENABLED, True, True),
        (ModelState.ENABLED, False, False),
        (ModelState.DISABLED, True, False),
        (ModelState.ARCHIVED, True, False),
    ],
)
def test_a_model_takes_calls_when_it_and_its_provider_do(
    state: ModelState, provider_enabled: bool, enabled: bool
) -> None:
    provider = replace(PROVIDER, is_enabled=provider_enabled)

    answering = served(replace(MODEL, state=state), provider, runs_here=True)

    assert answering.is_enabled is enabled
    assert answering.runs_here
    assert (answering.owner, answering.provider) == (MODEL.team_id, "acme")
