from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from litestar.types import HTTPScope

from adapters.http.request_headers import all_of, request_headers
from application.shared.correlation import Origin

MAX_USER_AGENT = 300
REMEMBERED = 1000


class ClientOrigins:
    """Finds out where requests come from: from the peer, or from whom a proxy names that is
    trusted to tell the truth."""

    def __init__(self, trusted_proxies: Sequence[str] = ()) -> None:
        """Addresses and networks."""
        self._trusted = tuple(ip_network(proxy, strict=False) for proxy in trusted_proxies)
        # Most requests come from where the last ones came from.
        self._direct = lru_cache(maxsize=REMEMBERED)(_direct)

    def of(self, scope: HTTPScope) -> Origin:
        client = scope.get("client")
        peer = None if client is None else client[0]
        user_agent = request_headers(scope).get(b"user-agent", b"")
        origin = self._direct(peer, user_agent[:MAX_USER_AGENT])
        if not self._trusted or peer is None:
            return origin
        hops = b",".join(all_of(scope, b"x-forwarded-for"))
        return replace(origin, address=self._beyond(peer, hops.decode("latin-1").split(",")))

    def _beyond(self, peer: str, hops: list[str]) -> str:
        """The nearest address that is no trusted proxy; the list begins with the farthest, and
        whatever stands beyond that address may be made up."""
        nearest = peer
        while hops and self._is_trusted(nearest):
            address = _address(hops.pop())
            if address is None:
                break
            nearest = str(address)
        return nearest

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _direct(peer: str | None, user_agent: bytes) -> Origin:
    said = user_agent.decode("latin-1").replace("\0", "") if user_agent else None
    return Origin(peer, said)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
