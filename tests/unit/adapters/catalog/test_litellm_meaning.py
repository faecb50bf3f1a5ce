from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.catalog.catalog_file import read_team_file
from adapters.catalog.litellm import import_litellm
from domain.models.errors import CatalogError

A = "{model_name: a, litellm_params: {model: openai/x}}"
B = "{model_name: b, litellm_params: {model: openai/y}}"


def imported(tmp_path: Path, text: str) -> tuple[Any, dict[str, str]]:
    file = tmp_path / "litellm.yaml"
    file.write_text(text)
    done = import_litellm(file)
    sound = tmp_path / "stoa.yaml"
    sound.write_text(done.text)
    read_team_file(sound, AnyVariable())
    return yaml.safe_load(done.text), dict(done.left_out)


class AnyVariable(dict[str, str]):
    def get(self, key: str, default: object = None) -> Any:
        known = {"AZURE_API_BASE": "https://a.example", "AWS_REGION_NAME": "eu-west-1"}
        return known.get(key, "2024-06-01")


def group(*parameters: str) -> str:
    rows = "".join(
        f"  - {{model_name: a, litellm_params: {{model: openai/x{i}, {one}}}}}\n"
        for i, one in enumerate(parameters)
    )
    return f"model_list:\n{rows}"


def targets(document: Any, key: str) -> list[Any]:
    return [one.get(key) for one in document["routes"][0]["targets"]]


@pytest.mark.parametrize(
    ("said", "weights"),
    [
        (("weight: 0.9", "weight: 0.1"), [9, 1]),
        (("weight: 2", "rpm: 5"), [1, 0]),
        (("rpm: 600", "rpm: 200", "tpm: 9"), [3, 1, 0]),
        (("tpm: 100000", "tpm: 250000"), [2, 5]),
        (("weight: 1", "weight: 0.0000001"), [1_000_000, 1]),
        (("rpm: 5", "rpm: 5"), [None, None]),
    ],
)
def test_shares_are_those_that_the_proxy_gives(
    tmp_path: Path, said: tuple[str, ...], weights: list[int]
) -> None:
    document, left_out = imported(tmp_path, group(*said))

    assert targets(document, "weight") == weights
    assert not [key for key in left_out if key.endswith(".weight")]


def test_who_has_no_order_comes_after_all_that_have_one(tmp_path: Path) -> None:
    document, left_out = imported(tmp_path, group("order: 2", "rpm: 1", "order: 1", "order: 1000"))

    assert document["routes"][0]["strategy"] == "weighted"
    assert targets(document, "priority") == [2, 3, 1, 3]
    assert left_out.keys() == {"model_list.a-4.litellm_params.order"}


def test_limits_beside_the_parameters_count_and_other_keys_are_told(tmp_path: Path) -> None:
    entry = "model_list: [{model_name: a, rpm: 5, api_base: x, litellm_params: {model: openai/x}}]"

    document, left_out = imported(tmp_path, entry)

    assert document["models"][0]["limits"] == {"rpm": 5}
    assert left_out.keys() == {"model_list.a.api_base"}


def test_silence_is_bounded_where_it_happens(tmp_path: Path) -> None:
    text = f"model_list: [{A}, {B.replace('openai/y', 'openai/y, timeout: 5')}]\n"

    document, _ = imported(tmp_path, text + "litellm_settings: {request_timeout: 60}")

    assert "routes" not in document
    assert [one["timeouts"] for one in document["providers"]] == [
        {"first_byte": 60.0, "between_bytes": 60.0},
        {"first_byte": 5.0, "between_bytes": 5.0},
    ]


def test_the_first_token_of_streams_is_a_matter_of_routes(tmp_path: Path) -> None:
    text = group("stream_timeout: 7", "stream_timeout: 9", "num_retries: 4")

    document, left_out = imported(tmp_path, text + "router_settings: {retry_after: 2}")

    assert document["routes"][0]["timeouts"] == {"first_token": 9.0}
    assert document["routes"][0]["retry"] == {
        "backoff_ms": 2000,
        "max_backoff_ms": 5000,
        "attempts": 5,
    }
    assert left_out.keys() == {"model_list.a.stream_timeout", "model_list.a.num_retries"}


def test_whoever_takes_over_has_as_many_attempts(tmp_path: Path) -> None:
    text = f"model_list: [{A}, {B}]\nlitellm_settings: {{fallbacks: [{{a: [b]}}], num_retries: 0}}"

    document, _ = imported(tmp_path, text)

    assert {one["name"]: one["retry"]["attempts"] for one in document["routes"]} == {"a": 2, "b": 1}


def test_what_takes_over_for_anybody_is_for_who_has_nothing_else(tmp_path: Path) -> None:
    text = f"model_list: [{A}, {B}]\nlitellm_settings: {{fallbacks: [{{'*': [b]}}, loose]}}"

    document, left_out = imported(tmp_path, text)

    assert [(one["name"], one["fallbacks"]) for one in document["routes"]] == [("a", ["b"])]
    assert left_out.keys() == {"fallbacks"}


def test_that_a_fallback_is_wider_here_is_told(tmp_path: Path) -> None:
    more = "{context_window_fallbacks: [{a: [b]}], content_policy_fallbacks: [{a: [b]}]}"

    document, left_out = imported(tmp_path, f"model_list: [{A}, {B}]\nrouter_settings: {more}")

    assert document["routes"][0]["fallbacks"] == ["b"]
    assert left_out.keys() == {
        "context_window_fallbacks.a",
        "router_settings.content_policy_fallbacks",
    }


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("text-embedding-3-small", "embedding"),
        ("openai/whisper-1", "transcription"),
        ("azure/tts-hd", "speech"),
        ("openai/dall-e-3", "image"),
        ("cohere/rerank-v3.5", "rerank"),
        ("omni-moderation-latest", "moderation"),
        ("openai/gpt-5", None),
    ],
)
def test_a_model_without_a_mode_is_known_by_its_name(
    tmp_path: Path, model: str, kind: str | None
) -> None:
    text = f"model_list: [{{model_name: a, litellm_params: {{model: {model}}}}}]"

    document, left_out = imported(tmp_path, text)

    assert document["models"][0].get("kind") == kind
    assert left_out == {}


def test_a_server_that_speaks_like_openai_is_told_to_have_what_its_models_need(
    tmp_path: Path,
) -> None:
    text = """
model_list:
  - {model_name: a, litellm_params: {model: groq/whisper-large-v3}}
  - {model_name: b, litellm_params: {model: groq/llama}}
  - {model_name: c, litellm_params: {model: openai/dall-e-3, api_base: "https://api.openai.com/v1"}}
  - {model_name: d, litellm_params: {model: bedrock/stability.stable-image-core}}
"""
    document, left_out = imported(tmp_path, text)

    groq, openai = document["providers"]
    assert "audio/transcriptions" in groq["operations"]
    assert "chat/completions" in groq["operations"]
    assert openai["type"] == "openai"
    assert left_out.keys() == {"model_list.d"}


def test_prices_of_all_units_are_carried(tmp_path: Path) -> None:
    text = """
model_list:
  - model_name: embed
    litellm_params: {model: text-embedding-3-small, input_cost_per_token: 0.00000002}
  - model_name: large
    litellm_params: {model: openai/x}
    model_info: {input_cost_per_token: 1e-6, output_cost_per_token: 2e-6,
                 output_cost_per_reasoning_token: 3e-6,
                 cache_creation_input_token_cost_above_1hr: 4e-6,
                 input_cost_per_token_above_200k_tokens: 5e-6,
                 output_cost_per_token_above_200k_tokens: 6e-6}
  - {model_name: hear, litellm_params: {model: whisper-1, input_cost_per_second: 0.0001}}
  - {model_name: say, litellm_params: {model: tts-1, input_cost_per_character: 0.000015}}
  - {model_name: draw, litellm_params: {model: dall-e-3, output_cost_per_image: 0.04}}
  - {model_name: half, litellm_params: {model: openai/x, input_cost_per_token: 1e-6}}
"""
    document, left_out = imported(tmp_path, text)

    assert [one.get("prices") for one in document["models"]] == [
        {"input": "0.02"},
        {
            "input": "1",
            "output": "2",
            "cache_write_1h": "4",
            "reasoning": "3",
            "tiers": [{"above": 200_000, "input": "5", "output": "6"}],
        },
        {"second": "0.0001"},
        {"character": "15"},
        {"image": "0.04"},
        None,
    ]
    assert left_out.keys() == {"model_list.half.litellm_params.input_cost_per_token"}


def test_capabilities_are_carried_if_all_are_said(tmp_path: Path) -> None:
    said = """{supports_function_calling: true, supports_vision: false,
      supports_audio_input: false, supports_pdf_input: false, supports_response_schema: true,
      supports_reasoning: false}"""
    vision = "supports_vision: true"

    whole, half = f"{A[:-1]}, model_info: {said}}}", f"{B[:-1]}, model_info: {{{vision}}}}}"
    document, left_out = imported(tmp_path, f"model_list: [{whole}, {half}]")

    assert [one.get("capabilities") for one in document["models"]] == [
        ["tools", "json_schema"],
        None,
    ]
    assert left_out.keys() == {"model_list.b.model_info.supports_vision"}


@pytest.mark.parametrize(
    ("settings", "kept", "told"),
    [
        ("cache: true, cache_params: {ttl: '60'}", {"ttl_s": 60}, set()),
        ("cache: true", {"ttl_s": 3600}, {"litellm_settings.cache_params.ttl"}),
        (
            "cache: true, cache_params: {mode: default_off, ttl: 60}",
            None,
            {"litellm_settings.cache_params.mode"},
        ),
        (
            "cache: true, cache_params: {ttl: 60, supported_call_types: [aembedding]}",
            None,
            {"litellm_settings.cache_params.supported_call_types"},
        ),
        (
            "cache: true, cache_params: {ttl: 60, type: redis-semantic, similarity_threshold: 0.9}",
            {"ttl_s": 60, "semantic_threshold": 0.9},
            {"litellm_settings.cache_params.type"},
        ),
        ("cache: os.environ/ON", None, {"litellm_settings.cache"}),
        ("cache: false, cache_params: {ttl: 5}", None, {"litellm_settings.cache_params"}),
    ],
)
def test_answers_are_kept_as_they_were(
    tmp_path: Path, settings: str, kept: dict[str, Any] | None, told: set[str]
) -> None:
    document, left_out = imported(tmp_path, f"model_list: [{A}]\nlitellm_settings: {{{settings}}}")

    assert [one["cache"] for one in document.get("routes", ())] == ([kept] if kept else [])
    assert left_out.keys() == told


def test_what_is_said_elsewhere_is_put_together(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(f"model_list: [{B}]\nlitellm_settings: {{num_retries: 1}}")
    text = """
include: [more.yaml]
usual: &usual {api_key: os.environ/K, rpm: 5}
credential_list:
  - {credential_name: eu, credential_values: {api_key: os.environ/EU, api_base: "https://eu.example"}}
model_list:
  - {model_name: a, litellm_params: {<<: *usual, model: openai/x}}
  - {model_name: c, litellm_params: {model: azure/y, litellm_credential_name: eu}}
  - {model_name: d, litellm_params: {model: openai/y, litellm_credential_name: nobody}}
"""
    document, left_out = imported(tmp_path, text)

    assert [one["name"] for one in document["routes"]] == ["a", "c", "d", "b"]
    assert document["models"][0]["limits"] == {"rpm": 5}
    assert [one["api_key"] for one in document["providers"]] == [
        "${K}",
        "${EU}",
        "${OPENAI_API_KEY}",
    ]
    assert left_out.keys() == {"usual", "model_list.d-1.litellm_params.litellm_credential_name"}


def test_references_without_an_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="more than"):
        imported(tmp_path, "model_list: &all [*all, *all]")


def test_a_pattern_leaves_its_provider(tmp_path: Path) -> None:
    text = """
model_list:
  - {model_name: "anthropic/*", litellm_params: {model: "anthropic/*"}}
  - {model_name: "*", litellm_params: {model: "*"}}
"""
    document, left_out = imported(tmp_path, text)

    assert [one["name"] for one in document["providers"]] == ["anthropic"]
    assert "`stoa providers offers anthropic`" in left_out["model_list.anthropic/*"]
    assert "model_list.*" in left_out


@pytest.mark.parametrize(
    "base", ["<your endpoint>", "https://me:secret@a.example", "https://a.example/v1?x=1"]
)
def test_an_address_that_cannot_be_is_told_and_not_repeated(tmp_path: Path, base: str) -> None:
    text = (
        f'model_list: [{{model_name: a, litellm_params: {{model: openai/x, api_base: "{base}"}}}}]'
    )

    document, left_out = imported(tmp_path, text)

    assert document["models"] == []
    assert left_out["model_list.a"].startswith("its api_base")
    assert base not in str(left_out)


def test_all_addresses_of_a_machine_are_the_machine_itself(tmp_path: Path) -> None:
    base = "http://0.0.0.0:8003/v1"
    text = (
        f'model_list: [{{model_name: a, litellm_params: {{model: openai/x, api_base: "{base}"}}}}]'
    )

    document, left_out = imported(tmp_path, text)

    assert document["providers"][0]["base_url"] == "http://127.0.0.1:8003/v1"
    assert left_out == {}


def test_the_address_of_a_deployment_is_taken_apart(tmp_path: Path) -> None:
    base = "https://r.example/openai/deployments/mine/chat/completions?api-version=2024-06-01"
    text = (
        f'model_list: [{{model_name: a, litellm_params: {{model: azure/x, api_base: "{base}"}}}}]'
    )

    document, _ = imported(tmp_path, text)

    assert document["models"][0]["upstream_name"] == "mine"
    assert document["providers"][0]["base_url"] == "https://r.example"
    assert document["providers"][0]["api_version"] == "2024-06-01"


def test_amazon_is_asked_where_the_file_says(tmp_path: Path) -> None:
    text = """
model_list:
  - model_name: a
    litellm_params: {model: bedrock/anthropic.claude, api_key: os.environ/TOKEN,
                     model_id: "arn:aws:bedrock:eu-west-1:1:provisioned-model/x"}
  - model_name: b
    litellm_params: {model: bedrock/nova, api_key: os.environ/TOKEN,
                     aws_bedrock_runtime_endpoint: "https://vpc.example"}
"""
    document, left_out = imported(tmp_path, text)

    first, second = document["providers"]
    assert (first["region"], second["region"]) == ("eu-west-1", "${AWS_REGION_NAME}")
    assert second["base_url"] == "https://vpc.example"
    assert document["models"][0]["upstream_name"].endswith("provisioned-model/x")
    assert left_out == {}


def test_names_that_cannot_be_are_replaced_and_told(tmp_path: Path) -> None:
    text = """
model_list:
  - model_name: a
    litellm_params: {model: openai/x, api_key: os.environ/my-key,
                     extra_headers: {"a b": c, x-d: e}}
"""
    document, left_out = imported(tmp_path, text)

    assert document["providers"][0]["api_key"] == "${my_key}"
    assert document["providers"][0]["headers"] == {"x-d": "${OPENAI_HEADERS_X_D}"}
    assert {"os.environ/my-key", "model_list.a.litellm_params.extra_headers.a b"} <= left_out.keys()
