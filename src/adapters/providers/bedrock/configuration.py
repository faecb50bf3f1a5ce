import re
from dataclasses import dataclass
from pathlib import Path

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
)
from adapters.providers.translation.provider import TranslatingProvider
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+")
_KEYS = ("region", "access_key_id", "secret_access_key", "session_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class BedrockProviderDefinition(ProviderDefinition):
    """Amazon Bedrock in one region."""

    name: str
    region: str
    http: HttpConfiguration
    credentials: AwsCredentials | None

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
            speaks=(),
            generation=bedrock,
            clock=surroundings.clock,
            ids=surroundings.ids,
        )


def _read(fields: ConfigurationFields, name: str, directory: Path) -> BedrockProviderDefinition:
    region = _read_region(fields)
    credentials = _read_credentials(fields)
    return BedrockProviderDefinition(
        name=name,
        region=region,
        http=read_http(fields, directory, default_url=_url(region)),
        credentials=credentials,
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
