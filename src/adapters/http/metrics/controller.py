import hmac

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from adapters.http.connection import AnyRequest, bearer_token
from adapters.http.metrics.exposition import Exposition
from domain.identity.errors import CredentialsInvalidError, CredentialsMissingError


def metrics_handler(exposition: Exposition, token: str | None) -> HTTPRouteHandler:
    """``GET /metrics``; with a token, only for those who send it as a bearer token."""

    @get("/metrics", include_in_schema=False, sync_to_thread=False)
    def read_metrics(request: AnyRequest) -> Response[bytes]:
        if token is not None:
            _check(bearer_token(request.scope), token)
        body, content_type = exposition.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    return read_metrics


def _check(sent: str | None, token: str) -> None:
    if sent is None:
        raise CredentialsMissingError
    if not hmac.compare_digest(sent.encode(), token.encode()):
        raise CredentialsInvalidError
