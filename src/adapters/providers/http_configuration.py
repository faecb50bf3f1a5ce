"""What the configuration says of any provider that is reached over HTTP."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from adapters.providers.definition import ConfigurationFields
from adapters.providers.transport.choice import TransportKind, choose_transport
from adapters.providers.transport.endpoint import Timeouts
from adapters.providers.transport.transport import Transport

# The keys that `read_http` reads; a provider that needs fewer still names them all.
HTTP_KEYS = (
    "base_url",
    "api_key",
    "headers",
    "timeouts",
    "transport",
    "proxy",
    "ca_file",
    "max_connections",
)
DEFAULT_MAX_CONNECTIONS = 512
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_TIMEOUTS = ("connect", "first_byte", "between_bytes", "total")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfiguration:
    """Where a provider is and how to reach it. ``transport`` is ``None`` where the file leaves the
    choice to Stoa."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)
    transport: TransportKind | None = None
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    max_connections: int = DEFAULT_MAX_CONNECTIONS

    def open_transport(self) -> Transport:
        return choose_transport(
            kind=self.transport,
            proxy=self.proxy,
            ca_file=self.ca_file,
            max_connections=self.max_connections,
        )


def read_http(
    fields: ConfigurationFields,
    directory: Path,
    *,
    default_url: str | None = None,
    needs_key: bool = False,
) -> HttpConfiguration:
    """``base_url`` must be given where there is no ``default_url``, and ``api_key`` where the
    provider lets nobody in without."""
    return HttpConfiguration(
        base_url=read_url(fields, "base_url", required=default_url is None) or default_url or "",
        api_key=read_secret(fields, "api_key", required=needs_key),
        headers=_read_headers(fields),
        timeouts=_read_timeouts(fields),
        proxy=read_url(fields, "proxy"),
        transport=_read_transport(fields),
        ca_file=_read_ca_file(fields, directory),
        max_connections=fields.whole("max_connections") or DEFAULT_MAX_CONNECTIONS,
    )


def read_url(fields: ConfigurationFields, key: str, *, required: bool = False) -> str | None:
    url = fields.text(key, required=required)
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    sendable = url.isascii() and url.isprintable() and " " not in url
    if not valid or not sendable or parts.query or parts.fragment:
        fields.note(key, "must be a URL such as https://api.example.com/v1")
        return None
    return url.rstrip("/")


def read_secret(fields: ConfigurationFields, key: str, *, required: bool = False) -> str | None:
    """A text that can stand in a header."""
    secret = fields.text(key, required=required)
    if secret is not None and not (secret.isascii() and secret.isprintable() and " " not in secret):
        fields.note(key, "must be printable ASCII without spaces")
        return None
    return secret


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
