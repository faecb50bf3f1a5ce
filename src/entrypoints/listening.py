import errno
import socket

from domain.operations.errors import AddressUnavailableError

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address, before anything else is started: binding alone would
    not keep a second server from doing the same, and who connects too early waits a moment.

    Raises ``AddressUnavailableError`` that says what stands in the way.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise AddressUnavailableError(_reason(host, port, error)) from error
    return listener


def url_of(listener: socket.socket, host: str) -> str:
    """The URL at which people on this machine reach the server."""
    port: int = listener.getsockname()[1]
    return own_url(host, port)


def own_url(host: str, port: int) -> str:
    """The same for a server that need not run."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - shown, not bound
    return f"http://{f'[{name}]' if ':' in name and not name.startswith('[') else name}:{port}"


def _reason(host: str, port: int, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use. Stop what listens there, or choose another one "
            "with --port or STOA_PORT."
        )
    if number in {errno.EACCES, errno.EPERM}:
        return f"Port {port} on {host} needs more rights than this user has."
    if number == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{host} is not an address of this machine (--host or STOA_HOST)."
    return f"Cannot listen on {host}:{port}: {error}"
