"""How often something may be tried that could be guessed."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimit:
    """So many attempts at once, and one more after each ``every``."""

    at_once: int
    every: timedelta

    @property
    def slack(self) -> timedelta:
        """How far ahead of its time an attempt may be."""
        return self.every * (self.at_once - 1)


@dataclass(frozen=True, slots=True)
class AttemptSubject:
    """What attempts are counted on: ``AttemptSubject("login account", email, limit)``."""

    kind: str
    value: str
    limit: AttemptLimit

    @property
    def hash(self) -> bytes:
        """It is not written down who was tried."""
        return sha256(f"{self.kind}\0{self.value}".encode(errors="replace")).digest()


LOGINS_PER_ACCOUNT = AttemptLimit(at_once=10, every=timedelta(seconds=30))
_IPV6_SITE = 64
# Many people may share an address.
LOGINS_PER_ADDRESS = AttemptLimit(at_once=100, every=timedelta(seconds=3))


def login_subjects(email: str, address: str | None) -> tuple[AttemptSubject, ...]:
    """What an attempt to log in is counted on; the address first, so that one that is shut out
    cannot shut out the account."""
    account = AttemptSubject("login account", email, LOGINS_PER_ACCOUNT)
    if address is None:
        return (account,)
    return (AttemptSubject("login address", network_of(address), LOGINS_PER_ADDRESS), account)


def network_of(address: str) -> str:
    """Whoever has an IPv6 address has the whole network that it is in."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            # So sockets that listen on both show an IPv4 address.
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, _IPV6_SITE), strict=False))
    return address
