from typing import Any

from litestar.enums import MediaType
from litestar.handlers import BaseRouteHandler
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.router import Router
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler

from adapters.http.connection import AnyRequest
from adapters.http.docs.assets import ASSETS_PATH
from adapters.http.openapi_document import DocumentCompletion
from adapters.http.security_headers import allow_content

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="{assets}/favicon-32x32.png">
<link rel="stylesheet" href="{assets}/page.css">
{links}
</head>
<body>
<div id="docs"></div>
{scripts}
</body>
</html>
"""


class DocumentationPage(OpenAPIRenderPlugin):
    """A page that loads the document from its own address, with nothing written into it."""

    def __init__(
        self,
        path: str,
        *,
        title: str,
        scripts: tuple[str, ...],
        styles: tuple[str, ...] = (),
        styled_by_scripts: bool = False,
    ) -> None:
        super().__init__(path=path, media_type=MediaType.HTML)
        sources = "'self' 'unsafe-inline'" if styled_by_scripts else "'self'"
        self._policy = _POLICY.format(styles=sources).encode()
        self._page = _PAGE.format(
            title=title,
            assets=ASSETS_PATH,
            links="\n".join(
                f'<link rel="stylesheet" href="{ASSETS_PATH}/{name}">' for name in styles
            ),
            scripts="\n".join(f'<script src="{ASSETS_PATH}/{name}"></script>' for name in scripts),
        ).encode()

    def render(self, request: AnyRequest, openapi_schema: dict[str, Any]) -> bytes:
        allow_content(request.scope, self._policy)
        return self._page


class DocumentFile(OpenAPIRenderPlugin):
    """``openapi.json``: the framework's document, completed and kept."""

    def __init__(self, path: str, completion: DocumentCompletion) -> None:
        super().__init__(path=path, media_type=MediaType.JSON)
        self._completion = completion
        self._file: bytes | None = None

    def render(self, request: AnyRequest, openapi_schema: dict[str, Any]) -> bytes:
        if self._file is None:
            complete = self._completion.complete(openapi_schema)
            self._file = self.render_json(request, complete)
        return self._file


class DocumentationRouter(Router):
    """Litestar adds to the documentation a handler that answers every unknown path beside it with a
    page of its own; here, unknown paths are problems like everywhere else."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        if isinstance(value, BaseRouteHandler) and value.fn.__name__ == _CATCH_ALL:
            return []
        return super().register(value)


_CATCH_ALL = "handle_schema_path_not_found"
