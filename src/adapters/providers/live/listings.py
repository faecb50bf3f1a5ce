"""Where providers of each type say what they offer, and how that is read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.providers.http_configuration import HttpConfiguration
from application.models.registry.ports import Offer
from domain.models.served_model import ModelKind

_LARGEST = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """``url`` and ``credentials`` are made of the configuration; ``members`` is what holds the
    entries, ``read`` makes an offer of one."""

    url: Callable[[str], str]
    credentials: Callable[[str], Mapping[str, str]]
    members: str
    read: Callable[[Mapping[str, Any]], Offer | None]

    def offers(self, answer: object) -> Iterator[Offer] | None:
        """``None`` for what is no list of models."""
        entries = answer.get(self.members) if isinstance(answer, dict) else None
        if not isinstance(entries, list):
            return None
        read = (self.read(one) for one in entries if isinstance(one, dict))
        return (offer for offer in read if offer is not None)


def listing_of(type_name: str) -> Listing | None:
    return _LISTINGS.get(type_name)


def key_of(http: HttpConfiguration) -> str:
    return http.api_key or ""


def _bearer(key: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _openai(entry: Mapping[str, Any]) -> Offer | None:
    name = entry.get("id")
    context = entry.get("max_model_len") or entry.get("max_context_length")
    return None if not isinstance(name, str) else Offer(name=name, context_length=_count(context))


def _google(entry: Mapping[str, Any]) -> Offer | None:
    name, methods = entry.get("name"), entry.get("supportedGenerationMethods")
    if not isinstance(name, str):
        return None
    kind = None
    if isinstance(methods, list):
        kind = ModelKind.CHAT if "generateContent" in methods else None
        kind = ModelKind.EMBEDDING if "embedContent" in methods else kind
    return Offer(
        name=name.removeprefix("models/"),
        kind=kind,
        context_length=_count(entry.get("inputTokenLimit")),
    )


def _cohere(entry: Mapping[str, Any]) -> Offer | None:
    name, endpoints = entry.get("name"), entry.get("endpoints")
    if not isinstance(name, str):
        return None
    known = {"chat": ModelKind.CHAT, "embed": ModelKind.EMBEDDING, "rerank": ModelKind.RERANK}
    found = endpoints if isinstance(endpoints, list) else ()
    return Offer(
        name=name,
        kind=next((kind for word, kind in known.items() if word in found), None),
        context_length=_count(entry.get("context_length")),
    )


def _ollama(entry: Mapping[str, Any]) -> Offer | None:
    name = entry.get("name")
    return Offer(name=name) if isinstance(name, str) else None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 < value < _LARGEST else None


def _versioned(path: str) -> Callable[[str], str]:
    """Below the version, whether the base URL ends with it or not."""
    return lambda base: f"{base.removesuffix('/v1').removesuffix('/v2')}/v1/{path}"


def _azure(base: str) -> str:
    resource = base.removesuffix("/openai/v1").removesuffix("/openai")
    return f"{resource}/openai/v1/models"


_OPENAI = Listing(
    url=lambda base: f"{base}/models", credentials=_bearer, members="data", read=_openai
)
_LISTINGS: Mapping[str, Listing] = {
    "openai": _OPENAI,
    "openai-compatible": _OPENAI,
    "mistral": _OPENAI,
    "azure-openai": Listing(
        url=_azure, credentials=lambda key: {"api-key": key}, members="data", read=_openai
    ),
    "anthropic": Listing(
        url=_versioned("models?limit=1000"),
        credentials=lambda key: {"x-api-key": key, "anthropic-version": "2023-06-01"},
        members="data",
        read=_openai,
    ),
    "google": Listing(
        url=lambda base: f"{base}/models?pageSize=1000",
        credentials=lambda key: {"x-goog-api-key": key},
        members="models",
        read=_google,
    ),
    "cohere": Listing(
        url=_versioned("models?page_size=1000"),
        credentials=_bearer,
        members="models",
        read=_cohere,
    ),
    "ollama": Listing(
        url=lambda base: f"{base.removesuffix('/api')}/api/tags",
        credentials=_bearer,
        members="models",
        read=_ollama,
    ),
}
