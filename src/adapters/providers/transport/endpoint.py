import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from domain.shared.errors import InvalidError

DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65_535
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FORBIDDEN_BYTES = frozenset(range(0x20)) - {ord("\t")} | {0x7F}


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """As it stands in the header ``host``."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == DEFAULT_PORTS[self.scheme] else f"{shown}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Limits in seconds; ``None`` is no limit.

    ``connect`` covers waiting for a free connection and opening one, ``first_byte`` the time from
    the request to the head of the answer, ``between_bytes`` any silence after it.
    """

    connect: float | None = 10.0
    first_byte: float | None = 600.0
    between_bytes: float | None = 300.0
    total: float | None = None

    def __post_init__(self) -> None:
        for name in ("connect", "first_byte", "between_bytes", "total"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InvalidError(f"The timeout '{name}' must be above zero.", param=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One URL of a provider with the headers that never change, encoded once for all requests.

    ``peer`` is what error messages call the other side: callers of the gateway read them, and
    addresses inside the operator's network are not their business.
    """

    peer: str
    origin: Origin
    url: str
    headers: tuple[tuple[str, str], ...]
    timeouts: Timeouts
    head: bytes = field(repr=False)
    method: str = "POST"

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        peer: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
        method: str = "POST",
    ) -> "Endpoint":
        """Raises ``InvalidError`` for a URL or a header that cannot be sent."""
        parts = _checked(url)
        origin = Origin(
            parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {target} HTTP/1.1\r\nhost: {origin.shown}\r\n".encode("ascii")]
        lines += [header_line(name, value) for name, value in headers.items()]
        return cls(
            peer=peer,
            origin=origin,
            url=url,
            headers=tuple(headers.items()),
            timeouts=timeouts,
            head=b"".join(lines),
            method=method,
        )


def header_line(name: str, value: str) -> bytes:
    """Encode one header; refuses whatever could end the line and start another."""
    if value.isascii() and value.isprintable():
        return b"%b: %b\r\n" % (_encoded_name(name), value.encode())
    try:
        encoded = value.encode("latin-1")
    except UnicodeEncodeError:
        encoded = b"\n"
    if any(byte in _FORBIDDEN_BYTES for byte in encoded):
        raise InvalidError(
            f"The value of the header '{name}' has characters that HTTP does not allow.", param=name
        )
    return b"%b: %b\r\n" % (_encoded_name(name), encoded)


@lru_cache(maxsize=256)
def _encoded_name(name: str) -> bytes:
    if not _TOKEN.fullmatch(name):
        raise InvalidError("A header name has characters that HTTP does not allow.", param=name)
    return name.encode()


def _checked(url: str) -> SplitResult:
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidError("The URL has characters that must be escaped.", param="base_url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidError("The URL cannot be parsed.", param="base_url") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise InvalidError("The URL must start with http:// or https://.", param="base_url")
    if port is not None and not 0 < port <= _MAX_PORT:
        raise InvalidError("The port of the URL is out of range.", param="base_url")
    if parts.username is not None or parts.fragment:
        raise InvalidError("The URL must not hold credentials or a fragment.", param="base_url")
    return parts
