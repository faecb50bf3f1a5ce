import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.openai_compatible.provider import OpenAICompatibleProvider
from adapters.providers.transport.choice import TransportKind, choose_transport
from adapters.providers.transport.endpoint import Timeouts
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_TIMEOUTS = ("connect", "first_byte", "between_bytes", "total")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICompatibleProviderDefinition(ProviderDefinition):
    """A server that speaks OpenAI's API. ``transport`` is ``None`` where the file leaves the choice
    to Stoa."""

    name: str
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)
    transport: TransportKind | None = None
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        return OpenAICompatibleProvider(
            name=self.name,
            base_url=self.base_url,
            api_key=self.api_key,
            headers=self.headers,
            timeouts=self.timeouts,
            transport=choose_transport(kind=self.transport, proxy=self.proxy, ca_file=self.ca_file),
        )


def _read(
    fields: ConfigurationFields, name: str, directory: Path
) -> OpenAICompatibleProviderDefinition:
    return OpenAICompatibleProviderDefinition(
        name=name,
        base_url=_read_url(fields, "base_url", required=True) or "",
        api_key=_read_api_key(fields),
        headers=_read_headers(fields),
        timeouts=_read_timeouts(fields),
        proxy=_read_url(fields, "proxy"),
        transport=_read_transport(fields),
        ca_file=_read_ca_file(fields, directory),
    )


def _read_url(fields: ConfigurationFields, key: str, *, required: bool = False) -> str | None:
    url = fields.text(key, required=required)
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not url.isprintable() or " " in url or parts.query or parts.fragment:
        fields.note(key, "must be a URL such as https://api.example.com/v1")
        return None
    return url.rstrip("/")


def _read_api_key(fields: ConfigurationFields) -> str | None:
    key = fields.text("api_key")
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        fields.note("api_key", "must be printable ASCII without spaces")
        return None
    return key


def _read_headers(fields: ConfigurationFields) -> dict[str, str]:
    headers = fields.text_pairs("headers")
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            fields.note("headers", f"cannot hold '{name}': it is not the name of a header")
        elif not value.isprintable():
            fields.note("headers", f"cannot hold '{name}': its value has control characters")
    return headers


def _read_timeouts(fields: ConfigurationFields) -> Timeouts:
    nested = fields.fields("timeouts")
    if nested is None:
        return Timeouts()
    given: dict[str, float] = {}
    for key in _TIMEOUTS:
        seconds = nested.decimal(key)
        if seconds == 0:
            nested.note(key, "must be above zero")
        elif seconds is not None:
            given[key] = float(seconds)
    nested.end()
    return Timeouts(**given)


def _read_transport(fields: ConfigurationFields) -> TransportKind | None:
    transport = fields.choice("transport", TransportKind)
    if transport is TransportKind.POOL and fields.has("proxy"):
        fields.note("transport", "cannot be 'pool' with a proxy; leave it out or use 'aiohttp'")
    return transport


def _read_ca_file(fields: ConfigurationFields, directory: Path) -> Path | None:
    text = fields.text("ca_file")
    if text is None:
        return None
    path = directory / Path(text).expanduser()
    if not path.is_file():
        fields.note("ca_file", f"names a file that does not exist: {path}")
    return path


OPENAI_COMPATIBLE = ProviderType(
    name="openai-compatible",
    keys=("base_url", "api_key", "headers", "timeouts", "transport", "proxy", "ca_file"),
    read=_read,
)
