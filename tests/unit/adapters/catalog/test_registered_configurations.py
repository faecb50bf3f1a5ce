"""Configurations of providers as registries have them."""

from typing import Any

import pytest

from adapters.catalog.registered import RegisteredConfigurations
from domain.shared.errors import InvalidError
from tests.builders import a_model

URL = "https://a.example/v1"
CONFIGURATIONS = RegisteredConfigurations()


def test_secrets_are_told_from_the_rest() -> None:
    given: dict[str, Any] = {
        "base_url": URL,
        "api_key": "k",
        "headers": {"x-own": "h"},
        "timeouts": {"total": 5},
        "proxy": "http://user:pass@proxy.example:3128",
    }

    checked = CONFIGURATIONS.check("openai-compatible", "far", given)

    assert checked.plain == {"base_url": URL, "timeouts": {"total": 5}}
    assert checked.secrets == {key: given[key] for key in ("api_key", "headers", "proxy")}
    assert checked.addresses == (("base_url", "a.example"), ("proxy", "proxy.example"))
    assert "pass" not in repr(checked)


def test_texts_stand_for_themselves() -> None:
    checked = CONFIGURATIONS.check(
        "openai-compatible", "far", {"base_url": URL, "api_key": "${HOME}$"}
    )

    assert checked.secrets == {"api_key": "${HOME}$"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "configuration.base_url"),
        ({"base_url": 5}, "configuration.base_url"),
        ({"base_url": "nowhere"}, "configuration.base_url"),
        ({"base_url": "https://\uff11.example"}, "configuration.base_url"),
        ({"base_url": "https://me:secret@a.example"}, "configuration.base_url"),
        ({"base_url": URL, "speed": 1}, "configuration.speed"),
        ({"base_url": URL, "api_key": "with space"}, "credentials.api_key"),
        ({"base_url": URL, "timeouts": {"total": 0}}, "configuration.timeouts.total"),
        ({"base_url": URL, "timeouts": {"other": 1}}, "configuration.timeouts.other"),
        ({"base_url": URL, "timeouts": 5}, "configuration.timeouts"),
        ({"base_url": URL, "operations": [5, "chat/completions"]}, "configuration.operations"),
        ({"base_url": URL, "ca_file": "/no/such.pem"}, "configuration.ca_file"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as error:
        CONFIGURATIONS.check("openai-compatible", "far", given)

    assert [one.field for one in error.value.errors] == [field]
    assert "secret" not in error.value.message


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(InvalidError) as error:
        CONFIGURATIONS.check("unknown", "far", {})

    assert error.value.param == "type"


def test_files_and_local_models_are_the_servers_matter() -> None:
    with_file = {"base_url": URL, "ca_file": "/no/such.pem"}

    assert CONFIGURATIONS.of_the_server("local", {}) == ("type",)
    assert CONFIGURATIONS.of_the_server("openai-compatible", with_file) == ("ca_file",)
    assert CONFIGURATIONS.is_of_the_server("local")
    assert CONFIGURATIONS.runs_here("scripted")
    assert not CONFIGURATIONS.runs_here("openai-compatible")
    assert not CONFIGURATIONS.runs_here("unknown")


def test_every_type_can_be_set_up_in_a_registry() -> None:
    needed: dict[str, Any] = {
        "base_url": URL,
        "api_key": "k-0123456789",
        "region": "eu-central-1",
    }
    for type_name in CONFIGURATIONS.types:
        given = dict(needed)
        for _ in range(len(needed) + 1):
            try:
                CONFIGURATIONS.check(type_name, "any", given)
                break
            except InvalidError as error:
                unknown = [one.field.partition(".")[2] for one in error.errors]
                assert unknown
                given = {key: value for key, value in given.items() if key not in unknown}
        assert CONFIGURATIONS.check(type_name, "any", given).plain.keys() <= needed.keys()


@pytest.mark.parametrize(
    ("type_name", "options", "field"),
    [
        ("scripted", {"delay_ms": "fast"}, "options.delay_ms"),
        ("scripted", {"fail_status": 200}, "options.fail_status"),
        ("scripted", {"usage": {"prompt_tokens": -1}}, "options.usage.prompt_tokens"),
        ("scripted", {"usage": {"tokens": 1}}, "options.usage"),
        ("scripted", {"replay": "x"}, "options"),
        ("anthropic", {"thinking": "hard"}, "options.thinking"),
        ("anthropic", {"cache_control": True}, "options"),
        ("azure-openai", {"cache_control": "yes"}, "options.cache_control"),
        ("bedrock", {"guardrail": "gr-1"}, "options.guardrail"),
        ("bedrock", {"family": 5}, "options.family"),
        ("cohere", {"input_type": ["x"]}, "options.input_type"),
        ("google", {"safety_settings": {}}, "options.safety_settings"),
        ("google", {"safety_settings": ["x"]}, "options.safety_settings[0]"),
        ("local", {"gpu": True}, "options"),
        ("mistral", {"reply": "x"}, "options"),
        ("ollama", {"think": 5}, "options.think"),
        ("openai", {"temperature": 1}, "options"),
        ("openai-compatible", {"cache_control": None}, "options.cache_control"),
    ],
)
def test_options_that_a_type_cannot_take_are_named(
    type_name: str, options: dict[str, object], field: str
) -> None:
    model = a_model(upstream_name="embedded:smollm2-135m", options=options)

    [(named, message)] = CONFIGURATIONS.model_problems(type_name, model)

    assert named == field
    assert message


def test_options_that_types_know_are_taken() -> None:
    taken: dict[str, dict[str, object]] = {
        "scripted": {"delay_ms": 5, "tool_call": {"name": "f", "arguments": {"a": 1}}},
        "anthropic": {"thinking": "budget", "prompt_cache": "1h"},
        "bedrock": {"family": "nova", "guardrail": {"guardrailIdentifier": "gr-1"}},
        "cohere": {"input_type": "search_query", "truncate": "END", "safety_mode": "OFF"},
        "google": {"safety_settings": [{"category": "c", "threshold": "t"}]},
        "local": {"threads": 2},
        "ollama": {"num_ctx": 4096, "keep_alive": "1h", "think": False},
        "openai-compatible": {"cache_control": True},
    }

    for type_name in CONFIGURATIONS.types:
        model = a_model(upstream_name="embedded:smollm2-135m", options=taken.get(type_name, {}))
        assert not CONFIGURATIONS.model_problems(type_name, model)


def test_a_local_model_that_is_none_is_refused_by_its_name() -> None:
    model = a_model(upstream_name="embedded:nothing")

    [(field, message)] = CONFIGURATIONS.model_problems("local", model)

    assert field == "upstream_name"
    assert "'embedded:nothing' is not one of" in message
