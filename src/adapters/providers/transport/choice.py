from enum import StrEnum
from pathlib import Path

from adapters.providers.transport.pool import PoolTransport
from adapters.providers.transport.transport import Transport
from domain.shared.errors import InvalidError


class TransportKind(StrEnum):
    POOL = "pool"
    AIOHTTP = "aiohttp"


def choose_transport(
    *,
    kind: TransportKind | None = None,
    proxy: str | None = None,
    ca_file: Path | None = None,
    max_connections: int = 512,
) -> Transport:
    """The transport that a provider's configuration asks for; a proxy implies aiohttp."""
    if proxy is not None and kind is TransportKind.POOL:
        raise InvalidError("The transport 'pool' cannot use a proxy.", param="proxy")
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        raise InvalidError("The proxy must be an http:// or https:// URL.", param="proxy")
    if max_connections < 1:
        raise InvalidError("At least one connection is needed.", param="max_connections")
    if proxy is not None or kind is TransportKind.AIOHTTP:
        # A tenth of a second of imports, which a server without proxies need not pay.
        from adapters.providers.transport.aiohttp_transport import (  # noqa: PLC0415
            AiohttpTransport,
        )

        return AiohttpTransport(proxy=proxy, ca_file=ca_file, max_connections=max_connections)
    return PoolTransport(ca_file=ca_file, max_connections=max_connections)
