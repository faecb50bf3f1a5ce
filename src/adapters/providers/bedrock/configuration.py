import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.providers.bedrock.listing import BedrockListing, control_url_of
from adapters.providers.bedrock.provider import BedrockProvider
from adapters.providers.bedrock.signing import AwsCredentials
from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.http_configuration import (
    HTTP_KEYS,
    HttpConfiguration,
    read_http,
    read_secret,
    read_url,
)
from adapters.providers.translation.provider import TranslatingProvider
from adapters.providers.translation.tool_names import PLAIN_NAMES
from adapters.providers.transport.endpoint import Timeouts
from application.inference.ports import ModelProvider, Operation
from application.models.registry.ports import Offer
from application.shared.ports import Clock
from domain.models.served_model import ServedModel

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+")
_KEYS = ("region", "control_url", "access_key_id", "secret_access_key", "session_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class BedrockProviderDefinition(ProviderDefinition):
    """Amazon Bedrock in one region."""

    name: str
    region: str
    http: HttpConfiguration
    credentials: AwsCredentials | None
    control_url: str

    async def offers(self, patience: Timeouts, clock: Clock) -> Sequence[Offer]:
        listing = BedrockListing(
            name=self.name,
            region=self.region,
            control_url=self.control_url,
            http=self.http,
            credentials=self.credentials,
            clock=clock,
        )
        return await listing.offers(patience)

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        bedrock = BedrockProvider(
            name=self.name,
            region=self.region,
            http=self.http,
            credentials=self.credentials,
            clock=surroundings.clock,
        )
        return TranslatingProvider(
            bedrock,
            speaks=(Operation.COUNT_TOKENS,),
            generation=bedrock,
            clock=surroundings.clock,
            ids=surroundings.ids,
            tool_names=PLAIN_NAMES,
        )


def _read(fields: ConfigurationFields, name: str, directory: Path) -> BedrockProviderDefinition:
    region = _read_region(fields)
    credentials = _read_credentials(fields)
    http = read_http(fields, directory, default_url=_url(region))
    return BedrockProviderDefinition(
        name=name,
        region=region,
        http=http,
        credentials=credentials,
        control_url=read_url(fields, "control_url") or control_url_of(http.base_url),
    )


def _read_region(fields: ConfigurationFields) -> str:
    region = fields.text("region", required=True)
    if region is not None and not _REGION.fullmatch(region):
        fields.note("region", "must be a region such as eu-central-1")
        return ""
    return region or ""


def _read_credentials(fields: ConfigurationFields) -> AwsCredentials | None:
    """``None`` where there is an ``api_key`` instead."""
    has_key = fields.has("api_key")
    key_id = read_secret(fields, "access_key_id", required=not has_key)
    secret = read_secret(fields, "secret_access_key", required=not has_key)
    token = read_secret(fields, "session_token")
    if has_key and (key_id or secret or token):
        fields.note("api_key", "must not be given together with 'access_key_id'")
    if key_id is None or secret is None:
        return None
    return AwsCredentials(access_key_id=key_id, secret_access_key=secret, session_token=token)


def _url(region: str) -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://bedrock-runtime.{region}.{suffix}"


BEDROCK = ProviderType(
    name="bedrock",
    keys=(*HTTP_KEYS, *_KEYS),
    read=_read,
    secret_keys=frozenset({"api_key", "headers", "proxy", "secret_access_key", "session_token"}),
)
