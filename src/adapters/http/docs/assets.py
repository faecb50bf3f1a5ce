"""The scripts and styles of the documentation pages, all served from this machine."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from adapters.http.connection import AnyRequest
from adapters.http.errors import RouteNotFoundError

ASSETS_PATH = "/api/v1/docs/assets"

# The wheel is a Django application, but only its files are wanted: it is never imported.
_WHEEL = "drf_spectacular_sidecar"
_IN_WHEEL = {
    "favicon-32x32.png": "swagger-ui-dist/favicon-32x32.png",
    "redoc.standalone.js": "redoc/bundles/redoc.standalone.js",
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
}
_OWN = ("page.css", "redoc-start.js", "swagger-start.js")

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png"}
# Redoc shows its maker's logo from its maker's server, which the content policy rightly refuses.
_FOREIGN_LOGO = re.compile(rb"https://[a-z./]+/logo-mini\.svg")
_EMPTY_IMAGE = b"data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
_CACHE = "public, max-age=3600"


@cache
def asset_files() -> dict[str, Path]:
    """The files by the name that they are served under."""
    own = Path(__file__).with_name("static")
    files = {name: own / name for name in _OWN}
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The package '{_WHEEL}' is not installed.")
    static = Path(spec.origin).parent / "static" / _WHEEL
    return files | {name: static / inside for name, inside in _IN_WHEEL.items()}


def asset(file: Path) -> bytes:
    """The file's content, without what it would load from elsewhere."""
    return _FOREIGN_LOGO.sub(_EMPTY_IMAGE, file.read_bytes())


@get(f"{ASSETS_PATH}/{{name:str}}", include_in_schema=False, sync_to_thread=False)
def read_asset(name: FromPath[str], request: AnyRequest) -> Response[bytes]:
    file = asset_files().get(name)
    if file is None:
        raise RouteNotFoundError(request.method, request.url.path)
    media_type = _MEDIA_TYPES[file.suffix]
    return Response(asset(file), media_type=media_type, headers={"cache-control": _CACHE})
