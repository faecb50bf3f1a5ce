"""What Bedrock says that it has, over a real connection and as its reference says it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.catalog.registered import RegisteredConfigurations
from adapters.providers.live.discovery import discover
from application.models.registry.ports import Offer
from domain.inference.errors import ProviderCredentialsError, ProviderFailedError
from domain.models.served_model import ModelKind
from tests.fakes.clock import FrozenClock
from tests.fakes.upstream import Script, SeenRequest, Upstream, json_answer, running_upstream

SECRET = "aws-canary-0123456789"
KEYS = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": SECRET}
MODELS = {
    "modelSummaries": [
        {
            "modelId": "amazon.titan-embed-text-v2:0",
            "inferenceTypesSupported": ["ON_DEMAND"],
            "outputModalities": ["EMBEDDING"],
        },
        {
            "modelId": "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "inferenceTypesSupported": ["INFERENCE_PROFILE"],
            "outputModalities": ["TEXT"],
        },
        {"modelId": "cohere.rerank-v3-5:0", "outputModalities": ["TEXT"]},
        {"modelName": "nameless"},
    ]
}
CLAUDE = {
    "modelArn": "arn:aws:bedrock:eu-west-1::foundation-model/"
    "anthropic.claude-sonnet-4-5-20250929-v1:0"
}
FIRST: dict[str, Any] = {
    "inferenceProfileSummaries": [
        {
            "inferenceProfileId": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "models": [CLAUDE],
            "status": "ACTIVE",
            "type": "SYSTEM_DEFINED",
        }
    ],
    "nextToken": "a+b/c==",
}
SECOND: dict[str, Any] = {
    "inferenceProfileSummaries": [
        {
            "inferenceProfileArn": "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x",
            "inferenceProfileId": "x",
            "models": [],
            "type": "APPLICATION",
        }
    ]
}


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as upstream:
        yield upstream


def answering(seen: SeenRequest) -> Script:
    if "/foundation-models" in seen.target:
        return [json_answer(json.dumps(MODELS).encode())]
    page = SECOND if "nextToken" in seen.target else FIRST
    return [json_answer(json.dumps(page).encode())]


async def offers_of(upstream: Upstream, **members: Any) -> list[Offer]:
    given = {"region": "eu-west-1", "base_url": upstream.origin, **members}
    definition = RegisteredConfigurations().definition("bedrock", "aws", given)
    return list(await discover(definition, "bedrock", FrozenClock()))


@pytest.mark.parametrize("transport", ["pool", "aiohttp"])
async def test_models_are_offered_by_the_names_that_they_are_called_by(
    upstream: Upstream, transport: str
) -> None:
    upstream.choose = answering

    offers = await offers_of(upstream, transport=transport, **KEYS)

    assert offers == [
        Offer(name="amazon.titan-embed-text-v2:0", kind=ModelKind.EMBEDDING),
        Offer(name="arn:aws:bedrock:eu-west-1:1:application-inference-profile/x"),
        Offer(name="cohere.rerank-v3-5:0", kind=ModelKind.RERANK),
        Offer(name="eu.anthropic.claude-sonnet-4-5-20250929-v1:0", kind=ModelKind.CHAT),
    ]
    models, first, second = upstream.requests
    assert models.target == "/foundation-models"
    assert first.target == "/inference-profiles?maxResults=1000"
    assert second.target == "/inference-profiles?maxResults=1000&nextToken=a%2Bb%2Fc%3D%3D"
    for seen in upstream.requests:
        assert seen.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
        assert "SignedHeaders=host;x-amz-date," in seen.headers["authorization"]
        assert SECRET not in str(seen.headers)


async def test_a_key_of_bedrock_is_a_bearer_token(upstream: Upstream) -> None:
    upstream.choose = answering

    await offers_of(upstream, api_key="bedrock-api-key")

    assert upstream.requests[0].headers["authorization"] == "Bearer bedrock-api-key"


async def test_another_address_for_managing_is_asked(upstream: Upstream) -> None:
    upstream.choose = answering

    await offers_of(
        upstream, base_url="https://calls.invalid", control_url=f"{upstream.origin}/own", **KEYS
    )

    assert upstream.requests[0].target == "/own/foundation-models"


async def test_what_is_wrong_is_told_without_secrets(upstream: Upstream) -> None:
    upstream.play(json_answer(b'{"message": "no ' + SECRET.encode() + b'"}', status=403))
    with pytest.raises(ProviderCredentialsError) as refused:
        await offers_of(upstream, **KEYS)
    upstream.play(json_answer(b"[]"))
    with pytest.raises(ProviderFailedError, match="did not answer with a list") as wrong:
        await offers_of(upstream, **KEYS)

    assert SECRET not in refused.value.message + wrong.value.message


@pytest.mark.parametrize(
    ("base_url", "control_url"),
    [
        (None, "https://bedrock.eu-west-1.amazonaws.com"),
        (
            "https://bedrock-runtime-fips.eu-west-1.amazonaws.com",
            "https://bedrock-fips.eu-west-1.amazonaws.com",
        ),
        ("https://proxy.example/aws", "https://proxy.example/aws"),
    ],
)
def test_calls_and_management_have_two_hosts_at_amazon(
    base_url: str | None, control_url: str
) -> None:
    given: dict[str, Any] = {"region": "eu-west-1", **KEYS}
    given |= {} if base_url is None else {"base_url": base_url}

    definition: Any = RegisteredConfigurations().definition("bedrock", "aws", given)

    assert definition.control_url == control_url
