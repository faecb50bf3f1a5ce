"""Which addresses a provider that a team set up may be at."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import inet_aton

Address = IPv4Address | IPv6Address

# Where clouds tell the machines that run in them who they are and with which keys, besides
# link-local addresses.
_METADATA = frozenset(
    map(
        ip_address,
        (
            *("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
            *("fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"),
        ),
    )
)
# Of these the last four bytes are an IPv4 address: translated ones (those of a network of one's own
# too), and the "compatible" and "translated" forms that no network carries any more.
_LAST_FOUR = (
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("::ffff:0:0:0/96"),
    IPv6Network("::/96"),
)
# Those that carriers share, and those of sites, which were unique local addresses once.
_SHARED = ip_network("100.64.0.0/10")
_OF_SITES = ip_network("fec0::/10")
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})


def refusal(host: str, *, allow_private: bool) -> str | None:
    """Why the address, or the name as far as that tells, is out of bounds; ``None`` if it is not.
    A name that has to be looked up is judged by what it resolves to, when it does."""
    name = host.strip("[]").rstrip(".").lower()
    address = _address(name)
    if address is not None:
        return _refusal(address, allow_private=allow_private)
    if name in _METADATA_NAMES:
        return "is where a cloud keeps the credentials of its machines"
    if not allow_private and (name == "localhost" or name.endswith(".localhost")):
        return _PRIVATE
    return None


_OF_NUMBERS = frozenset("0123456789abcdefx.")
_PRIVATE = "is inside the network of the server"


def _address(name: str) -> Address | None:
    """``None`` for a name that has to be looked up. Those who connect understand ``127.1``,
    ``0x7f000001`` and ``2130706433`` too."""
    try:
        return ip_address(name.partition("%")[0])
    except ValueError:
        pass
    if not set(name) <= _OF_NUMBERS:
        return None
    try:
        return IPv4Address(inet_aton(name))
    except OSError:
        return None


def _refusal(address: Address, *, allow_private: bool) -> str | None:
    address = _embedded(address)
    if address in _METADATA or address.is_link_local:
        return "is where a cloud keeps the credentials of its machines"
    if address.is_unspecified or address.is_multicast:
        return "is no address of one machine"
    is_private = not address.is_global or address in _SHARED or address in _OF_SITES
    return _PRIVATE if is_private and not allow_private else None


def _embedded(address: Address) -> Address:
    """What an IPv6 address that stands for an IPv4 one leads to."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    is_own = address.is_unspecified or address.is_loopback
    if not is_own and any(address in network for network in _LAST_FOUR):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
