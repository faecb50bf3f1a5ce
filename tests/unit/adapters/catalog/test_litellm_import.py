from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.catalog.catalog_file import read_team_file
from adapters.catalog.litellm import import_litellm
from domain.models.errors import CatalogError

WHOLE = """
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-5, api_key: os.environ/OPENAI_API_KEY, rpm: 500, weight: 3}
    model_info: {supports_function_calling: true, max_input_tokens: 1000}
  - model_name: gpt
    litellm_params: {model: azure/eu, api_base: https://eu.openai.azure.com/, temperature: 0.2,
                     api_key: os.environ/AZ, api_version: v1}
  - model_name: embed
    litellm_params: {model: text-embedding-3-small, api_key: sk-canary-in-the-file}
    model_info: {mode: embedding, input_cost_per_token: 0.00000002}
  - model_name: near
    litellm_params: {model: hosted_vllm/llama, api_base: http://localhost:8000/v1}
  - model_name: odd
    litellm_params: {model: sagemaker/x}
router_settings:
  routing_strategy: latency-based-routing
  fallbacks: [{near: [gpt]}]
  num_retries: 2
  timeout: 30
  model_group_alias: {gpt4: gpt, ghost: nobody}
  redis_host: localhost
litellm_settings: {drop_params: true, cache: true, cache_params: {type: redis, ttl: 600}}
general_settings: {master_key: sk-master}
"""


def imported(tmp_path: Path, text: str = WHOLE) -> tuple[Any, dict[str, str]]:
    file = tmp_path / "litellm.yaml"
    file.write_text(text)
    done = import_litellm(file)
    (tmp_path / "stoa.yaml").write_text(done.text)
    return yaml.safe_load(done.text), dict(done.left_out)


def test_what_was_imported_is_a_sound_file(tmp_path: Path) -> None:
    imported(tmp_path)

    read = read_team_file(
        tmp_path / "stoa.yaml", {"OPENAI_API_KEY": "a", "OPENAI_API_KEY_2": "c", "AZ": "b"}
    )

    assert [provider.type for provider in read.providers] == [
        "openai",
        "azure-openai",
        "openai",
        "openai-compatible",
    ]
    assert [model.name for model in read.models] == ["gpt-1", "gpt-2", "embed-1", "near-1"]
    assert [route.name for route in read.routes] == ["gpt", "embed", "near"]


def test_deployments_of_one_name_become_a_route(tmp_path: Path) -> None:
    document, _ = imported(tmp_path)

    route = document["routes"][0]
    assert route == {
        "name": "gpt",
        "strategy": "lowest_latency",
        "targets": [{"model": "gpt-1"}, {"model": "gpt-2"}],
        "retry": {"attempts": 3},
        "cache": {"ttl_s": 600},
        "aliases": ["gpt4"],
    }
    assert document["routes"][2]["fallbacks"] == ["gpt"]
    assert document["models"][0] == {
        "name": "gpt-1",
        "provider": "openai",
        "upstream_name": "gpt-5",
        "context_length": 1000,
        "limits": {"rpm": 500},
    }


def test_no_secret_of_the_file_is_repeated(tmp_path: Path) -> None:
    document, left_out = imported(tmp_path)

    told = f"{document}{left_out}"
    assert "canary" not in told
    assert "sk-master" not in told
    assert document["providers"][0]["api_key"] == "${OPENAI_API_KEY}"


def test_what_cannot_be_carried_over_is_told_with_the_reason(tmp_path: Path) -> None:
    _, left_out = imported(tmp_path)

    assert left_out.keys() == {
        "model_list.gpt-1.litellm_params.weight",
        "model_list.gpt-1.model_info.supports_function_calling",
        "model_list.gpt-2.litellm_params.temperature",
        "model_list.odd-1",
        "router_settings.model_group_alias.ghost",
        "router_settings.redis_host",
        "litellm_settings.cache_params.type",
        "litellm_settings.drop_params",
        "general_settings.master_key",
        "the secret for ${OPENAI_API_KEY_2}",
    }


def test_a_model_of_its_own_keeps_its_name(tmp_path: Path) -> None:
    text = """
model_list:
  - model_name: claude
    litellm_params: {model: claude-sonnet-4-5, order: 1}
    model_info: {input_cost_per_token: 0.000003, output_cost_per_token: 1.5e-05,
                 cache_read_input_token_cost: 3e-7}
"""
    document, left_out = imported(tmp_path, text)

    assert "routes" not in document
    assert [one["name"] for one in document["models"]] == ["claude"]
    prices = {"input": "3", "output": "15", "cached_input": "0.3"}
    assert document["models"][0]["prices"] == prices
    assert document["providers"][0]["type"] == "anthropic"
    assert document["providers"][0]["api_key"] == "${ANTHROPIC_API_KEY}"
    assert left_out == {}


def test_accounts_that_differ_stay_apart(tmp_path: Path) -> None:
    text = """
model_list:
  - {model_name: a, litellm_params: {model: openai/x, api_key: sk-first}}
  - {model_name: b, litellm_params: {model: openai/x, api_key: sk-second}}
  - {model_name: c, litellm_params: {model: openai/x, api_key: sk-first}}
  - model_name: d
    litellm_params: {model: openai/x, api_base: "https://d.example/v1",
                     extra_headers: {x-one: first, x-two: second}}
  - {model_name: e, litellm_params: {model: cohere_chat/command-r}}
  - {model_name: f, litellm_params: {model: text-completion-openai/x}}
"""
    document, _ = imported(tmp_path, text)

    providers = {one["name"]: one for one in document["providers"]}
    assert [one["provider"] for one in document["models"]] == [
        "openai",
        "openai-2",
        "openai",
        "openai-3",
        "cohere",
        "openai-4",
    ]
    assert providers["openai"]["api_key"] == "${OPENAI_API_KEY_2}"
    assert providers["openai-2"]["api_key"] == "${OPENAI_API_KEY_3}"
    assert providers["openai-3"]["headers"] == {
        "x-one": "${OPENAI_HEADERS_X_ONE}",
        "x-two": "${OPENAI_HEADERS_X_TWO}",
    }
    assert providers["openai-3"]["api_key"] == "${OPENAI_API_KEY}"
    assert providers["cohere"]["api_key"] == "${COHERE_API_KEY}"


def test_what_takes_over_is_carried_without_going_round(tmp_path: Path) -> None:
    text = """
model_list:
  - {model_name: a, litellm_params: {model: openai/x}}
  - {model_name: b, litellm_params: {model: openai/y}}
  - {model_name: e, litellm_params: {model: openai/e}, model_info: {mode: embedding}}
router_settings:
  fallbacks: [{a: [b, nobody, {model: z}]}, {b: [a, e]}, {ghost: [a]}]
  default_fallbacks: [b]
"""
    document, left_out = imported(tmp_path, text)

    found = {one["name"]: one.get("fallbacks") for one in document["routes"]}
    assert found == {"a": ["b-1"], "b": ["a-1"], "e": None}
    assert "&" not in (tmp_path / "stoa.yaml").read_text()
    assert left_out["fallbacks.ghost"] == "is no model that was carried over"
    assert left_out["fallbacks.b"] == "'e' is of the kind 'embedding'"
    assert left_out["fallbacks.e"] == "'b' is of the kind 'chat'"
    assert "fallbacks.a" in left_out
    read_team_file(tmp_path / "stoa.yaml", {"OPENAI_API_KEY": "a"})


def test_what_can_be_no_model_is_told(tmp_path: Path) -> None:
    text = """
model_list:
  - {litellm_params: {model: openai/x}}
  - {model_name: "openai/*", litellm_params: {model: "openai/*"}}
  - {model_name: default, litellm_params: {model: openai/x}}
  - {model_name: with space, litellm_params: {model: openai/x}}
  - {model_name: talk, litellm_params: {model: openai/x}, model_info: {mode: realtime}}
  - {model_name: none, litellm_params: {api_key: os.environ/K}}
  - {model_name: a, litellm_params: {model: openai/x}, model_info: {base_model: y, id: z}}
  - model_name: a-1
    litellm_params: {model: openai/x, rpm: "60", tpm: lots, max_parallel_requests: 0}
litellm_settings: {num_retries: "2", timeout: os.environ/T}
router_settings: {model_group_alias: {a: a-1, auto: a}}
"""
    document, left_out = imported(tmp_path, text)

    assert [one["name"] for one in document["routes"]] == ["a", "a-1"]
    assert [one["name"] for one in document["models"]] == ["a-2", "a-1-1"]
    assert document["models"][1]["limits"] == {"rpm": 60}
    assert document["routes"][0]["retry"] == {"attempts": 3}
    assert left_out.keys() == {
        "model_list[0]",
        "model_list.openai/*",
        "model_list.default",
        "model_list.with space",
        "model_list.talk-1",
        "model_list.none-1",
        "model_list.a-2.model_info.base_model",
        "model_list.a-2.model_info.id",
        "model_list.a-1-1.litellm_params.tpm",
        "model_list.a-1-1.litellm_params.max_parallel_requests",
        "litellm_settings.timeout",
        "router_settings.model_group_alias.a",
        "router_settings.model_group_alias.auto",
    }


def test_bedrock_is_where_its_model_or_the_environment_says(tmp_path: Path) -> None:
    text = """
model_list:
  - model_name: a
    litellm_params: {model: bedrock/us-west-2/anthropic.claude, input_cost_per_token: 0.000001,
                     output_cost_per_token: 0.000002}
  - {model_name: b, litellm_params: {model: bedrock/converse/anthropic.claude}}
  - {model_name: c, litellm_params: {model: azure/mine}}
"""
    document, left_out = imported(tmp_path, text)

    first, second, azure = document["providers"]
    assert (first["region"], second["region"]) == ("us-west-2", "${AWS_REGION_NAME}")
    assert second["secret_access_key"] == "${AWS_SECRET_ACCESS_KEY}"
    assert azure["base_url"] == "${AZURE_API_BASE}"
    assert [one.get("upstream_name") for one in document["models"]] == [
        "anthropic.claude",
        "anthropic.claude",
        "mine",
    ]
    assert document["models"][0]["prices"] == {"input": "1", "output": "2"}
    assert left_out == {}


def test_what_a_provider_does_not_know_is_told(tmp_path: Path) -> None:
    text = """
model_list:
  - model_name: a
    litellm_params: {model: azure/x, api_version: 2024-06-01, api_key: os.environ/K,
                     api_base: "https://a.example"}
  - model_name: b
    litellm_params: {model: openai/x, api_version: "2024-06-01", organization: org,
                     api_base: "https://b.example/v1"}
"""
    document, left_out = imported(tmp_path, text)

    azure, other = document["providers"]
    assert azure["api_version"] == "2024-06-01"
    assert not {"api_version", "organization"} & other.keys()
    assert left_out.keys() == {
        "model_list.b.litellm_params.api_version",
        "model_list.b.litellm_params.organization",
    }
    read_team_file(tmp_path / "stoa.yaml", {"K": "k", "OPENAI_API_KEY": "o"})


@pytest.mark.parametrize(
    "wrong",
    [
        "router_settings: [1]",
        "router_settings: {fallbacks: {a: [b]}}",
        "router_settings: {model_group_alias: [a]}",
        "litellm_settings: {cache: true, cache_params: 5}",
        "litellm_settings: {default_fallbacks: a}",
        "general_settings: x",
    ],
)
def test_what_has_another_shape_is_refused(tmp_path: Path, wrong: str) -> None:
    text = "model_list: [{model_name: a, litellm_params: {model: openai/x}}]\n"
    with pytest.raises(CatalogError, match="must be a"):
        imported(tmp_path, text + wrong)


@pytest.mark.parametrize("member", ["litellm_params: [x]", "model_info: 5"])
def test_a_model_of_another_shape_is_refused(tmp_path: Path, member: str) -> None:
    with pytest.raises(CatalogError, match="must be a mapping"):
        imported(tmp_path, f"model_list: [{{model_name: a, {member}}}]")


@pytest.mark.parametrize("text", ["[]", "a: 1", "model_list: {}"])
def test_what_is_no_such_configuration_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CatalogError, match="model_list"):
        imported(tmp_path, text)
