from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Self
from urllib.parse import unquote, urlsplit

from domain.shared.errors import InvalidError

SUBMISSION_PORT = 587
TLS_PORT = 465
_SECURE = "smtps"
_SCHEMES = ("smtp", _SECURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAccount:
    """Where mail is handed in, read off a URL such as ``smtp://user:password@host:587``.

    ``smtps`` is TLS from the first byte. With ``smtp`` the connection is upgraded where the server
    offers it; a password never goes over one that is not encrypted, except on this machine.
    """

    host: str
    port: int
    is_tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of_url(cls, url: str) -> Self:
        """Raises ``InvalidError`` that does not repeat the URL."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _wrong("has a port that is no number, or a wrong address") from None
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise _wrong("must look like smtp://user:password@host:587 or smtps://…")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise _wrong("must end after the port; '/', '?' and '#' in a password are escaped")
        if (parts.username is None) != (parts.password is None):
            raise _wrong("needs a user and a password, or neither")
        is_tls = parts.scheme == _SECURE
        return cls(
            host=parts.hostname,
            port=port or (TLS_PORT if is_tls else SUBMISSION_PORT),
            is_tls=is_tls,
            user=_unescaped(parts.username),
            password=_unescaped(parts.password),
        )

    @property
    def start_tls(self) -> bool | None:
        """Whether to upgrade the connection: ``None`` does so where the server offers it."""
        if self.is_tls:
            return False
        return True if self.user is not None and not self._is_this_machine else None

    @property
    def _is_this_machine(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def _unescaped(text: str | None) -> str | None:
    return None if text is None else unquote(text)


def _wrong(message: str) -> InvalidError:
    return InvalidError(f"STOA_MAIL_URL {message}.", param="STOA_MAIL_URL")
