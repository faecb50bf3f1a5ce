"""Where the connections of a provider may go."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from domain.inference.errors import ProviderUnreachableError

# Says why an address, or a name that needs no look-up, is out of reach; ``None`` if it is not.
Reach = Callable[[str], str | None]

_reach: ContextVar[Reach | None] = ContextVar("stoa_reach", default=None)


@contextmanager
def within_reach(reach: Reach) -> Iterator[None]:
    """Transports that are made in this block connect to nothing that is out of reach, whatever a
    name resolves to when they connect."""
    token = _reach.set(reach)
    try:
        yield
    finally:
        _reach.reset(token)


def present_reach() -> Reach | None:
    """``None`` where everything may be reached."""
    return _reach.get()


def check_reach(reach: Reach | None, address: str, peer: str) -> None:
    """Raise ``ProviderUnreachableError`` for an address that is out of reach."""
    why = None if reach is None else reach(address)
    if why is not None:
        raise ProviderUnreachableError(
            f"The provider '{peer}' is at an address that this server does not connect to: it"
            f" {why}."
        )


async def addresses_within(reach: Reach, host: str, port: int, peer: str) -> list[str]:
    """What the host resolves to, if all of it may be reached. Raises ``OSError``, and
    ``ProviderUnreachableError``."""
    check_reach(reach, host, peer)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for address in addresses:
        check_reach(reach, address, peer)
    return addresses
