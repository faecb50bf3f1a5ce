from pathlib import Path

import pytest

from adapters.catalog.catalog_file import load_catalog
from adapters.catalog.registered import RegisteredConfigurations
from adapters.providers.bedrock.configuration import BedrockProviderDefinition
from adapters.providers.bedrock.signing import AwsCredentials
from domain.models.errors import CatalogError

KEYS = 'access_key_id: "${ID}", secret_access_key: "${SECRET}"'
VARIABLES = {"ID": "AKIDEXAMPLE", "SECRET": "s3cret-canary", "KEY": "bearer-canary"}


def read(tmp_path: Path, members: str) -> BedrockProviderDefinition:
    config = tmp_path / "stoa.yaml"
    config.write_text(
        f"providers:\n  - {{name: aws, type: bedrock, {members}}}\n"
        "models:\n  - {name: claude, provider: aws, upstream_name: anthropic.claude-x}\n"
    )
    (definition,) = load_catalog(config, VARIABLES).providers
    assert isinstance(definition, BedrockProviderDefinition)
    return definition


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-central-1", "https://bedrock-runtime.eu-central-1.amazonaws.com"),
        ("us-gov-west-1", "https://bedrock-runtime.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_address_is_that_of_the_region(tmp_path: Path, region: str, url: str) -> None:
    definition = read(tmp_path, f"region: {region}, {KEYS}")

    assert definition.http.base_url == url
    assert definition.credentials == AwsCredentials(
        access_key_id="AKIDEXAMPLE", secret_access_key="s3cret-canary"
    )
    assert "canary" not in repr(definition)


def test_a_key_stands_for_credentials(tmp_path: Path) -> None:
    definition = read(
        tmp_path, 'region: eu-central-1, api_key: "${KEY}", base_url: "https://vpc.example.com"'
    )

    assert definition.credentials is None
    assert definition.http.api_key == "bearer-canary"
    assert definition.http.base_url == "https://vpc.example.com"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (KEYS, "'region' is missing"),
        (f"region: Frankfurt, {KEYS}", "must be a region such as eu-central-1"),
        ("region: eu-central-1", "'access_key_id' is missing"),
        ("region: eu-central-1, access_key_id: AKID", "'secret_access_key' is missing"),
        (
            f'region: eu-central-1, api_key: "${{KEY}}", {KEYS}',
            "must not be given together with 'access_key_id'",
        ),
        (f"region: eu-central-1, {KEYS}, profile: x", "'profile'"),
    ],
    ids=["no-region", "no-such-region", "no-credentials", "half", "both", "unknown"],
)
def test_what_is_wrong_is_named(tmp_path: Path, members: str, message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        read(tmp_path, members)

    assert message in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_registry_keeps_its_credentials_apart() -> None:
    given = {
        "region": "eu-central-1",
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": "s3cret-canary",
        "session_token": "t0ken-canary",
    }

    checked = RegisteredConfigurations().check("bedrock", "aws", given)

    assert checked.plain == {"region": "eu-central-1"}
    assert set(checked.secrets) == {"access_key_id", "secret_access_key", "session_token"}
