from urllib.parse import urlsplit

from application.operations.ports import DatabaseServer
from domain.shared.errors import InvalidError

_SCHEME = "postgresql"
_ACCEPTED_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+asyncpg"})
_PARAM = "STOA_DATABASE_URL"


class ExternalPostgres(DatabaseServer):
    """Somebody else's server: it is neither started nor stopped, only named."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def start(self) -> str:
        """Raises ``InvalidError``, which never repeats the URL: it may hold a password."""
        return normalised_url(self._url)

    async def stop(self) -> None:
        return None


def normalised_url(url: str) -> str:
    """The URL as ``postgresql://…``; a wrong one raises ``InvalidError``."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator:
        raise InvalidError(
            f"{_PARAM} is not a URL; it looks like postgresql://user@host:5432/database.",
            param=_PARAM,
        )
    if scheme.lower() not in _ACCEPTED_SCHEMES:
        raise InvalidError(
            f"{_PARAM} starts with {scheme}://, but Stoa stores in Postgres: it has to start with "
            "postgresql://.",
            param=_PARAM,
        )
    normalised = f"{_SCHEME}://{rest}"
    try:
        # Reading the port is what checks it.
        _ = urlsplit(normalised).port
    except ValueError as error:
        raise InvalidError(f"{_PARAM} has an unreadable host or port.", param=_PARAM) from error
    return normalised
