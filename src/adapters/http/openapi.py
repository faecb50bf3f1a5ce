from collections.abc import Sequence

from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme, Server, Tag

from adapters.http.docs.pages import DocumentationPage, DocumentationRouter, DocumentFile
from adapters.http.openapi_document import DocumentCompletion
from adapters.http.openapi_operations import ExtraOperation
from adapters.http.presented import SESSION_COOKIE

_DESCRIPTION = """
Stoa is the AI backend a team owns. Under `/v1` it speaks OpenAI's API, so that every OpenAI client
works with it; under `/api/v1` is Stoa's own.

Errors of `/api/v1` are RFC 9457 problems; [the list of their codes](/problems) says what each of
them means. Every answer carries `x-request-id` and `x-correlation-id`; a request may bring its own
`X-Correlation-ID`.
""".strip()

_TAGS = [
    Tag(name="identity", description="People, their sessions, teams and API keys."),
    Tag(name="models", description="The models that are served."),
    Tag(name="inference", description="Model calls, the ledger of them, and what they cost."),
    Tag(name="records", description="What was done, and what went wrong."),
    Tag(name="operations", description="How the server is."),
]

_SECURITY_SCHEMES = {
    "bearer": SecurityScheme(
        type="http",
        scheme="bearer",
        description="An API key (`sk-stoa-…`), or the access token of a session.",
    ),
    "session": SecurityScheme(
        type="apiKey",
        security_scheme_in="cookie",
        name=SESSION_COOKIE,
        description="The cookie of a session. Requests that change something have to come from a "
        "page of this server.",
    ),
}


def build_openapi_config(
    extra_operations: Sequence[ExtraOperation], *, version: str
) -> OpenAPIConfig:
    """The document at ``/api/v1/openapi.json`` and its pages, ``/api/v1/docs`` and ``…/redoc``."""
    config = OpenAPIConfig(
        title="Stoa",
        version=version,
        description=_DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        tags=_TAGS,
        servers=[Server(url="/")],
        use_handler_docstrings=True,
        components=Components(security_schemes={**_SECURITY_SCHEMES}),
        openapi_router=DocumentationRouter("/api/v1", route_handlers=[], include_in_schema=False),
        render_plugins=[
            DocumentFile("/openapi.json", DocumentCompletion(extra_operations)),
            DocumentationPage(
                "/docs",
                title="Stoa API",
                styles=("swagger-ui.css",),
                scripts=("swagger-ui-bundle.js", "swagger-start.js"),
            ),
            DocumentationPage(
                "/redoc",
                title="Stoa API",
                scripts=("redoc.standalone.js", "redoc-start.js"),
                styled_by_scripts=True,
            ),
        ],
    )
    # Otherwise one of them would also answer at the router's own path.
    config.default_plugin = None
    return config
