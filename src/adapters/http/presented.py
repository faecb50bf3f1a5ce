"""What a request shows of who sent it."""

from typing import NamedTuple
from urllib.parse import urlsplit

from litestar.types import Scope

from adapters.http.errors import CrossSiteRequestError
from adapters.http.request_headers import all_of, request_headers

SESSION_COOKIE = "stoa_session"

_COOKIE_NAME = SESSION_COOKIE.encode()
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# A page of this server, or the person at the browser itself.
_OWN_SITES = frozenset({b"same-origin", b"none"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Presented(NamedTuple):
    """A bearer token, or else the secret of a session's cookie."""

    bearer: str | None = None
    cookie: str | None = None


NOTHING = Presented()


def presented(scope: Scope) -> Presented:
    """Clients of Anthropic's API show their key in a header of its own. Raises
    ``CrossSiteRequestError`` for a cookie that a browser may have sent along with what another site
    wants."""
    headers = request_headers(scope)
    if (authorization := headers.get(b"authorization")) is not None:
        return _bearer(authorization)
    if (key := headers.get(b"x-api-key")) is not None:
        return Presented(bearer=key.strip().decode("latin-1"))
    cookies = all_of(scope, b"cookie")
    return _of_cookies(scope, cookies) if cookies else NOTHING


def _bearer(authorization: bytes) -> Presented:
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        return NOTHING
    return Presented(bearer=token.strip().decode("latin-1"))


def _of_cookies(scope: Scope, cookies: list[bytes]) -> Presented:
    cookie = _session_cookie(b";".join(cookies))
    if cookie is None:
        return NOTHING
    if scope["method"] not in SAFE_METHODS:  # type: ignore[typeddict-item]  # HTTP only
        check_same_origin(scope)
    return Presented(cookie=cookie)


def check_same_origin(scope: Scope) -> None:
    """Raise ``CrossSiteRequestError`` unless a browser says that the request comes from a page of
    this server, or from the person at the browser."""
    if _is_of_this_server(scope) is not True:
        raise CrossSiteRequestError


def refuse_other_sites(scope: Scope) -> None:
    """Raise ``CrossSiteRequestError`` if a browser says that another site wants the request; what
    is no browser says nothing."""
    if _is_of_this_server(scope) is False:
        raise CrossSiteRequestError


def _is_of_this_server(scope: Scope) -> bool | None:
    said = request_headers(scope)
    if (site := said.get(b"sec-fetch-site")) is not None:
        return site in _OWN_SITES
    if (origin := said.get(b"origin")) is not None:
        return _is_host(origin.decode("latin-1"), said.get(b"host", b"").decode("latin-1"))
    return None


def _is_host(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    port = _DEFAULT_PORTS.get(parts.scheme)
    if port is None or not host:
        return False
    return parts.netloc.removesuffix(port).lower() == host.removesuffix(port).lower()


def _session_cookie(cookies: bytes) -> str | None:
    for cookie in cookies.split(b";"):
        name, _, value = cookie.strip().partition(b"=")
        if name == _COOKIE_NAME:
            return value.decode("latin-1") or None
    return None
