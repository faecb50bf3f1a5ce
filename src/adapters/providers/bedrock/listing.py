"""Asking Bedrock which models it has, at the address where it is managed."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from adapters.providers.bedrock.signing import AwsCredentials, Signer
from adapters.providers.failures.amazon import amazon_failure
from adapters.providers.http_client import ProviderClient
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.transport.endpoint import Timeouts
from application.models.registry.ports import Offer
from application.shared.correlation import correlation_id
from application.shared.ports import Clock
from domain.models.served_model import ModelKind

_RUNTIME, _CONTROL = "://bedrock-runtime", "://bedrock"
_MODELS, _PROFILES = "foundation-models", "inference-profiles"
_KINDS = {"TEXT": ModelKind.CHAT, "EMBEDDING": ModelKind.EMBEDDING, "IMAGE": ModelKind.IMAGE}
_MOST_PAGES, _MOST_BYTES = 20, 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BedrockListing:
    """Models that can be called by their own names, and inference profiles, which are how all
    others are called. ``control_url`` is where it is asked."""

    name: str
    region: str
    control_url: str
    http: HttpConfiguration
    credentials: AwsCredentials | None
    clock: Clock

    async def offers(self, patience: Timeouts) -> Sequence[Offer]:
        """Raises what calls of the provider raise."""
        client = self._client(patience)
        try:
            kinds: dict[str, ModelKind | None] = {}
            found: list[Offer] = []
            async for entry in self._entries(client, _MODELS, "modelSummaries"):
                name = entry.get("modelId")
                if isinstance(name, str):
                    kinds[name] = _kind_of(entry, name)
                    found += [Offer(name=name, kind=kinds[name])] if _is_callable(entry) else []
            async for entry in self._entries(client, _PROFILES, "inferenceProfileSummaries"):
                found += _profile(entry, kinds)
        finally:
            await client.aclose()
        return found

    def _client(self, patience: Timeouts) -> ProviderClient:
        http, credentials = self.http, self.credentials
        key = http.api_key if credentials is None else None
        return ProviderClient(
            name=self.name,
            transport=http.open_transport(),
            parse=amazon_failure,
            credentials={"authorization": f"Bearer {key}"} if key else {},
            secrets=[*([key] if key else ()), *(credentials.secrets if credentials else ())],
            headers=http.headers,
            timeouts=replace(patience, connect=http.timeouts.connect or patience.connect),
            request_id_header="x-amzn-requestid",
        )

    async def _entries(
        self, client: ProviderClient, path: str, member: str
    ) -> AsyncIterator[Mapping[str, Any]]:
        query = "maxResults=1000" if path == _PROFILES else ""
        for _ in range(_MOST_PAGES):
            answer = await self._ask(client, path, query)
            entries = answer.get(member)
            if not isinstance(entries, list):
                raise client.errors.no_answer("did not answer with a list of its models")
            for entry in entries:
                if isinstance(entry, dict):
                    yield entry
            token = answer.get("nextToken")
            if not isinstance(token, str) or not token:
                return
            query = f"maxResults=1000&nextToken={quote(token, safe='-_.~')}"

    async def _ask(self, client: ProviderClient, path: str, query: str) -> Mapping[str, Any]:
        url = f"{self.control_url}/{path}" + (f"?{query}" if query else "")
        endpoint = client.endpoint(url, method="GET", content_type=None)
        signed: tuple[tuple[str, str], ...] = ()
        if self.credentials is not None:
            signer = Signer(credentials=self.credentials, region=self.region, service="bedrock")
            signed = signer.headers(
                urlsplit(url).path,
                {"host": endpoint.origin.shown},
                b"",
                self.clock.now(),
                method="GET",
                query=query,
            )
        response = await client.send(endpoint, b"", correlation_id.get(), signed)
        try:
            answer = msgspec.json.decode(await response.read(_MOST_BYTES))
        except NOT_JSON:
            answer = None
        return answer if isinstance(answer, dict) else {}


def control_url_of(base_url: str) -> str:
    """Amazon answers calls and management at two hosts; whoever else speaks for it, at one."""
    return base_url.replace(_RUNTIME, _CONTROL, 1)


def _is_callable(entry: Mapping[str, Any]) -> bool:
    ways = entry.get("inferenceTypesSupported")
    return not isinstance(ways, list) or not ways or "ON_DEMAND" in ways


def _kind_of(entry: Mapping[str, Any], name: str) -> ModelKind | None:
    if "rerank" in name:
        return ModelKind.RERANK
    outputs = entry.get("outputModalities")
    known = outputs if isinstance(outputs, list) else ()
    return next((kind for word, kind in _KINDS.items() if word in known), None)


def _profile(entry: Mapping[str, Any], kinds: Mapping[str, ModelKind | None]) -> Iterator[Offer]:
    """One of the account's own is called by its ARN."""
    is_own = entry.get("type") == "APPLICATION"
    name = entry.get("inferenceProfileArn" if is_own else "inferenceProfileId")
    if not isinstance(name, str) or entry.get("status") not in (None, "ACTIVE"):
        return
    models = entry.get("models")
    arns = [one.get("modelArn") for one in models or () if isinstance(one, dict)]
    behind = (str(arn).rpartition("/")[2] for arn in arns)
    yield Offer(name=name, kind=next((kinds[one] for one in behind if one in kinds), None))
