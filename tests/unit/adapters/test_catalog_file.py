from decimal import Decimal
from pathlib import Path

import pytest

from adapters.catalog.catalog_file import load_catalog
from adapters.catalog.definitions import LoadedCatalog
from adapters.catalog.file_model_catalog import FileModelCatalog
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.local.configuration import LocalProviderDefinition
from adapters.providers.local.embedded_weights import EMBEDDED
from adapters.providers.openai_compatible.configuration import OpenAICompatibleProviderDefinition
from adapters.providers.scripted.configuration import ScriptedProviderDefinition
from adapters.providers.transport.choice import TransportKind
from adapters.providers.transport.endpoint import Timeouts
from domain.models.errors import CatalogError
from domain.models.prices import Prices, PriceTier
from domain.models.served_model import ModelKind, ServedModel
from tests.builders import TEAM_ID

FREE = Decimal(0)
WHOLE = """\
providers:
  - name: openai
    type: openai-compatible
    base_url: https://api.example.com/v1/
    api_key: ${OPENAI_KEY}
    headers: {X-Team: "team-${TEAM}", X-Cost: "$$5"}
    timeouts: {connect: 2, first_byte: 30.5, total: 600}
    transport: aiohttp
    proxy: http://proxy.example.com:3128
  - name: here
    type: local
  - name: stage
    type: scripted
models:
  - name: gpt
    aliases: [gpt-latest]
    provider: openai
    upstream_name: gpt-5
    context_length: 128000
    prices: {input: 0.1, output: "0.30", cached_input: 0.025}
    options: {cache_control: true}
  - name: embedder
    provider: openai
    kind: embedding
    prices: {input: 0.02}
  - {name: smollm2-135m, provider: here}
  - {name: play, provider: stage}
"""

TIER = "{above: 9, input: 1, output: 1}"


def load(tmp_path: Path, text: str, **variables: str) -> LoadedCatalog:
    path = tmp_path / "stoa.yaml"
    path.write_text(text)
    return load_catalog(path, variables)


def refuse(tmp_path: Path, text: str, **variables: str) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        load(tmp_path, text, **variables)
    return caught.value


def a_model(line: str, provider: str = "{name: p, type: scripted}") -> str:
    return f"providers:\n  - {provider}\nmodels:\n  - name: m\n    provider: p\n    {line}\n"


def a_provider(line: str, kind: str = "openai-compatible") -> str:
    return (
        f"providers:\n  - name: p\n    type: {kind}\n    {line}\n"
        "models:\n  - {name: m, provider: p}\n"
    )


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    catalog = load(tmp_path, WHOLE, OPENAI_KEY="sk-1", TEAM="a")

    assert catalog.providers == (
        OpenAICompatibleProviderDefinition(
            name="openai",
            http=HttpConfiguration(
                base_url="https://api.example.com/v1",
                api_key="sk-1",
                headers={"X-Team": "team-a", "X-Cost": "$5"},
                timeouts=Timeouts(connect=2.0, first_byte=30.5, total=600.0),
                transport=TransportKind.AIOHTTP,
                proxy="http://proxy.example.com:3128",
            ),
        ),
        LocalProviderDefinition(name="here"),
        ScriptedProviderDefinition(name="stage"),
    )
    assert catalog.models[0] == ServedModel(
        name="gpt",
        aliases=("gpt-latest",),
        kind=ModelKind.CHAT,
        provider="openai",
        upstream_name="gpt-5",
        context_length=128_000,
        prices=Prices(input=Decimal("0.1"), output=Decimal("0.30"), cached_input=Decimal("0.025")),
        options={"cache_control": True},
    )


def test_an_embedding_model_needs_no_output_price(tmp_path: Path) -> None:
    embedder = load(tmp_path, WHOLE, OPENAI_KEY="k", TEAM="a").models[1]

    assert embedder.kind is ModelKind.EMBEDDING
    assert embedder.upstream_name == "embedder"
    assert embedder.prices == Prices(input=Decimal("0.02"), output=Decimal(0))


def test_an_embedded_model_in_the_file_brings_what_is_known_of_it(tmp_path: Path) -> None:
    model = load(tmp_path, WHOLE, OPENAI_KEY="k", TEAM="a").models[2]

    assert model.upstream_name == "embedded:smollm2-135m"
    assert model.context_length
    assert model.aliases == ()


def test_local_models_are_free_and_others_unpriced_unless_the_file_says(tmp_path: Path) -> None:
    models = load(tmp_path, WHOLE, OPENAI_KEY="k", TEAM="a").models

    assert models[2].prices == Prices(input=Decimal(0), output=Decimal(0))
    assert models[3].prices is None


@pytest.mark.parametrize(
    ("kind", "text", "prices"),
    [
        ("rerank", '{request: "0.002"}', Prices(input=FREE, output=FREE, request=Decimal("0.002"))),
        ("image", '{image: "0.04"}', Prices(input=FREE, output=FREE, image=Decimal("0.04"))),
        ("speech", "{character: 15}", Prices(input=FREE, output=FREE, character=Decimal(15))),
        (
            "transcription",
            "{input: 2, audio_input: 6, second: 0}",
            Prices(input=Decimal(2), output=FREE, audio_input=Decimal(6), second=Decimal(0)),
        ),
    ],
)
def test_what_is_no_text_has_prices_of_its_own(
    tmp_path: Path, kind: str, text: str, prices: Prices
) -> None:
    model = load(tmp_path, a_model(f"kind: {kind}\n    prices: {text}")).models[0]

    assert model.prices == prices


def test_prices_of_nothing_are_none(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="'prices' must have one of input"):
        load(tmp_path, a_model("kind: image\n    prices: {}"))


def test_prices_are_exact(tmp_path: Path) -> None:
    text = a_model("prices: {input: 0.1234567890123456789012345, output: 1e-3}")

    (model,) = load(tmp_path, text).models

    assert model.prices is not None
    assert str(model.prices.input) == "0.1234567890123456789012345"
    assert model.prices.output == Decimal("0.001")


def test_paths_of_local_models_start_at_the_directory_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.gguf").write_bytes(b"GGUF")

    text = a_model("upstream_name: models/a.gguf", "{name: p, type: local}")
    (model,) = load(tmp_path, text).models

    assert model.upstream_name == str(tmp_path / "models" / "a.gguf")


def test_without_a_file_the_embedded_models_are_served() -> None:
    catalog = load_catalog(None, {})

    assert catalog.providers == (LocalProviderDefinition(name="local"),)
    assert [(m.name, m.aliases, m.kind, m.upstream_name) for m in catalog.models] == [
        ("smollm2-135m", ("smollm2",), ModelKind.CHAT, "embedded:smollm2-135m"),
        ("all-minilm-l6-v2", (), ModelKind.EMBEDDING, "embedded:all-minilm-l6-v2"),
    ]


def test_models_are_found_by_name_and_alias_and_listed_in_order(tmp_path: Path) -> None:
    catalog = FileModelCatalog(load(tmp_path, WHOLE, OPENAI_KEY="k", TEAM="a"))

    assert catalog.find("gpt", TEAM_ID) is catalog.find("gpt-latest", TEAM_ID)
    assert catalog.find("missing", TEAM_ID) is None
    assert [m.name for m in catalog.all(TEAM_ID)] == ["gpt", "embedder", "smollm2-135m", "play"]


def test_secrets_do_not_show_in_the_representation(tmp_path: Path) -> None:
    catalog = load(tmp_path, WHOLE, OPENAI_KEY="canary", TEAM="canary")

    assert "canary" not in repr(catalog)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("colour: red", "'colour' is not known"),
        ("kind: video", "'kind' must be one of chat, embedding"),
        ("context_length: many", "'context_length' must be a whole number"),
        ("context_length: -1", "'context_length' must be a whole number above zero"),
        ("context_length: 0x10", "'context_length' must be a whole number above zero"),
        ("prices: 3", "'prices' must be a mapping"),
        ("prices: {input: cheap, output: 1}", "'input' must be a decimal number"),
        ("prices: {input: -1, output: 1}", "'input' must be a decimal number of zero or more"),
        ("prices: {input: .inf, output: 1}", "'input' must be a decimal number"),
        ("prices: {input: 1}", "'output' is missing"),
        ("prices: {input: 1, output: 1, tiers: 5}", "'tiers' must be a list"),
        ("prices: {input: 1, output: 1, tiers: [x]}", "'tiers' must be a list of mappings"),
        ("prices: {input: 1, output: 1, tiers: [{input: 1, output: 1}]}", "'above' is missing"),
        ("prices: {input: 1, output: 1, tiers: [{above: 9, input: 1}]}", "'output' is missing"),
        (
            "prices: {input: 1, output: 1, tiers: [{above: 9, input: 1, output: 1, more: 1}]}",
            "'more' is not known",
        ),
        (
            f"prices: {{input: 1, output: 1, tiers: [{TIER}, {TIER}]}}",
            "'above' repeats 9",
        ),
        ("prices: {input: 1, output: 1, cached: 1}", "'cached' is not known"),
        ("aliases: gpt", "'aliases' must be a list"),
        ("aliases: [1]", "entries of 'aliases' must be text"),
        ("aliases: [m]", "'aliases' repeats 'm'"),
        ("aliases: [auto]", "'aliases' cannot be 'auto'"),
        (
            "capabilities: [tools]\n    kind: embedding",
            "'capabilities' are for models of the kind",
        ),
        ("capabilities: [flying]", "'capabilities' may list tools"),
        ("upstream_name: 5", "'upstream_name' must be text"),
        ("upstream_name: ''", "'upstream_name' must not be empty"),
        ("upstream_name: ${NOT_SET}", "the variable NOT_SET is not set"),
        ("upstream_name: a-${", "'${' is not closed"),
        ("upstream_name: ${a b}", "is not the name of a variable"),
        ("name: again", "'name' stands twice"),
        ("options: [1]", "'options' must be a mapping"),
        ("options: {since: 2026-01-01}", "'since' must be text, a number"),
    ],
)
def test_a_wrong_model_is_refused_with_line_and_key(tmp_path: Path, line: str, says: str) -> None:
    error = refuse(tmp_path, a_model(line))

    assert error.line in {4, 6}
    assert says in error.message
    assert error.message.startswith(f"line {error.line}: ")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("colour: red", "'colour' is not known"),
        ("api_key: ${NOT_SET}", "the variable NOT_SET is not set"),
        ("api_key: Bearer ${NOT_SET}", "the variable NOT_SET is not set"),
        ("api_key: 12345", "'api_key' must be text"),
        ("api_key:", "'api_key' must be text"),
        ("base_url: ftp://x", "'base_url' must be a URL"),
        ("base_url: api.example.com", "'base_url' must be a URL"),
        ("timeouts: {connect: 0}", "'connect' must be above zero"),
        ("timeouts: {read: 1}", "'read' is not known"),
        ("transport: carrier-pigeon", "'transport' must be one of pool, aiohttp"),
        ("ca_file: missing.pem", "names a file that does not exist"),
        ("headers: {'a b': c}", "is not the name of a header"),
        ('headers: {a: "b\\r\\nc: d"}', "control characters"),
    ],
)
def test_a_wrong_provider_is_refused_with_line_and_key(
    tmp_path: Path, line: str, says: str
) -> None:
    error = refuse(tmp_path, a_provider(line))

    assert says in error.message
    assert "line 4: " in error.message


def test_a_proxy_excludes_the_pool(tmp_path: Path) -> None:
    error = refuse(
        tmp_path, a_provider("base_url: http://h\n    transport: pool\n    proxy: http://p")
    )

    assert error.line == 5
    assert "'transport' cannot be 'pool' with a proxy" in error.message


@pytest.mark.parametrize("kind", ["local", "scripted"])
def test_keys_of_another_provider_type_are_refused(tmp_path: Path, kind: str) -> None:
    error = refuse(tmp_path, a_provider("base_url: http://localhost", kind))

    assert error.line == 4
    assert f"'base_url' does not apply to the type '{kind}'" in error.message


def test_an_unknown_provider_is_refused(tmp_path: Path) -> None:
    error = refuse(
        tmp_path, "providers:\n  - {name: a, type: local}\nmodels:\n  - {name: m, provider: b}\n"
    )

    assert error.line == 4
    assert "'b', which is not among the providers" in error.message


def test_names_and_aliases_are_unique(tmp_path: Path) -> None:
    text = a_model("aliases: [x]") + "  - {name: x, provider: p}\n"

    error = refuse(tmp_path, text)

    assert error.line == 7
    assert "'name' repeats 'x'" in error.message


def test_provider_names_are_unique(tmp_path: Path) -> None:
    error = refuse(
        tmp_path,
        "providers:\n  - {name: p, type: local}\n  - {name: p, type: scripted}\n"
        "models:\n  - {name: m, provider: p}\n",
    )

    assert error.line == 3


def test_a_missing_model_file_is_refused(tmp_path: Path) -> None:
    error = refuse(tmp_path, a_model("upstream_name: none.gguf", "{name: p, type: local}"))

    assert error.line == 6
    assert "names a file that does not exist" in error.message


def test_an_embedded_model_keeps_its_kind(tmp_path: Path) -> None:
    text = a_model(
        "upstream_name: embedded:all-minilm-l6-v2\n    kind: chat", "{name: p, type: local}"
    )

    assert "must be 'embedding' or 'rerank'" in refuse(tmp_path, text).message


def test_an_embedded_model_that_embeds_may_rank_too(tmp_path: Path) -> None:
    text = a_model(
        "upstream_name: embedded:all-minilm-l6-v2\n    kind: rerank", "{name: p, type: local}"
    )

    model = load(tmp_path, text).models[0]

    assert model.kind is ModelKind.RERANK
    assert model.context_length == 512


def test_an_unknown_embedded_model_is_refused(tmp_path: Path) -> None:
    text = a_model("upstream_name: embedded:gpt-9", "{name: p, type: local}")

    assert "unknown embedded model" in refuse(tmp_path, text).message


def test_everything_wrong_is_reported_at_once_in_order(tmp_path: Path) -> None:
    error = refuse(tmp_path, a_model("kind: x") + "extra: 1\n")

    assert error.line == 6
    assert error.message.index("line 6") < error.message.index("line 7")


@pytest.mark.parametrize(
    "text", ["", "[]", "5", "providers: []\nmodels: []\n", "models: {}\n", "a: [", "\x00", "{[}"]
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    assert refuse(tmp_path, text).code == "INVALID_CONFIGURATION"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="No such file"):
        load_catalog(tmp_path / "missing.yaml", {})


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be read"):
        load_catalog(tmp_path, {})


def test_aliases_are_refused_before_they_can_multiply(tmp_path: Path) -> None:
    error = refuse(tmp_path, "a: &a [x]\nb: [*a, *a]\n")

    assert error.line == 2


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    assert "nested too deep" in refuse(tmp_path, "a: " + "[" * 5000 + "]" * 5000).message


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    assert "longer than" in refuse(tmp_path, "# " + "x" * 1_100_000).message


def test_python_objects_are_not_built(tmp_path: Path) -> None:
    text = a_model("options: {x: !!python/object/apply:os.getcwd []}")

    assert "'x' must be text" in refuse(tmp_path, text).message


def test_a_local_model_is_a_gguf_file(tmp_path: Path) -> None:
    text = a_model("upstream_name: weights.bin", "{name: p, type: local}")

    assert "path of a .gguf file" in refuse(tmp_path, text).message


def test_the_catalog_and_the_local_provider_know_the_same_embedded_models() -> None:
    known = {model.upstream_name: model.context_length for model in load_catalog(None, {}).models}

    assert known == {name: weights.context_length for name, weights in EMBEDDED.items()}


def test_prices_may_have_tiers(tmp_path: Path) -> None:
    tier = "{above: 200000, input: 2.5, output: 15}"
    text = f"prices: {{input: 1.25, output: 10, cache_write_1h: 6, tiers: [{tier}]}}"

    model = load(tmp_path, a_model(text)).models[0]

    assert model.prices == Prices(
        input=Decimal("1.25"),
        output=Decimal(10),
        cache_write_1h=Decimal(6),
        tiers=(PriceTier(above=200_000, prices=Prices(input=Decimal("2.5"), output=Decimal(15))),),
    )


def test_options_that_a_provider_cannot_take_are_refused_at_their_line(tmp_path: Path) -> None:
    refused = refuse(tmp_path, a_model("options: {delay_ms: fast}"))

    assert "options" in refused.message
    assert "'options.delay_ms' is not what it must be" in refused.message


def test_options_may_be_any_json(tmp_path: Path) -> None:
    nested = "options: {temperature: 0.5, nested: {list: [1, two, null, true]}}"

    [model] = load(tmp_path, a_model(nested, "{name: p, type: ollama}")).models

    assert model.options == {"temperature": 0.5, "nested": {"list": [1, "two", None, True]}}
