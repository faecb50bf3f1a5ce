from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from litestar.types import HTTPScope

from application.shared.correlation import Origin

MAX_USER_AGENT = 300


class ClientOrigins:
    """Finds out where requests come from: from the peer, or from whom a proxy names that is
    trusted to tell the truth."""

    def __init__(self, trusted_proxies: Sequence[str] = ()) -> None:
        """Addresses and networks."""
        self._trusted = tuple(ip_network(proxy, strict=False) for proxy in trusted_proxies)

    def of(self, scope: HTTPScope, user_agent: bytes | None, forwarded_for: bytes | None) -> Origin:
        """``forwarded_for`` is what the request's `X-Forwarded-For` says."""
        client = scope.get("client")
        peer = None if client is None else client[0]
        said = None
        if user_agent:
            said = user_agent[:MAX_USER_AGENT].decode("latin-1").replace("\0", "")
        if forwarded_for is None or not self._trusted or peer is None:
            return Origin(peer, said)
        return Origin(self._beyond(peer, forwarded_for.decode("latin-1").split(",")), said)

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
