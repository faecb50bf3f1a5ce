"""The few pages that people open from a link, each small and whole: nothing in them comes from
elsewhere, and no token ever is in the address that a server sees."""

from functools import cache
from pathlib import Path

from litestar import MediaType, Response, get
from litestar.params import FromPath

from adapters.http.connection import AnyRequest
from adapters.http.errors import RouteNotFoundError
from adapters.http.security_headers import allow_content

_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    b"require-trusted-types-for 'script'"
)
_STATIC = Path(__file__).with_name("static")
_ASSETS = {"pages.css": "text/css", "pages.js": "text/javascript"}
# An upgraded server shall not be met by yesterday's script.
_FRESH = {"cache-control": "no-cache"}
_NEVER_KEPT = {"cache-control": "no-store"}


@get("/setup", include_in_schema=False, sync_to_thread=False)
def show_setup_page(request: AnyRequest) -> Response[bytes]:
    return _page(request, "setup.html")


@get("/reset-password", include_in_schema=False, sync_to_thread=False)
def show_reset_page(request: AnyRequest) -> Response[bytes]:
    return _page(request, "reset-password.html")


@get("/invitation", include_in_schema=False, sync_to_thread=False)
def show_invitation_page(request: AnyRequest) -> Response[bytes]:
    return _page(request, "invitation.html")


@get("/pages/{name:str}", include_in_schema=False, sync_to_thread=False)
def read_page_asset(name: FromPath[str], request: AnyRequest) -> Response[bytes]:
    media_type = _ASSETS.get(name)
    if media_type is None:
        raise RouteNotFoundError(request.method, request.url.path)
    return Response(_content(name), media_type=media_type, headers=_FRESH)


PAGES = (show_setup_page, show_reset_page, show_invitation_page, read_page_asset)


def _page(request: AnyRequest, name: str) -> Response[bytes]:
    allow_content(request.scope, _POLICY)
    return Response(_content(name), media_type=MediaType.HTML, headers=_NEVER_KEPT)


@cache
def _content(name: str) -> bytes:
    return (_STATIC / name).read_bytes()
