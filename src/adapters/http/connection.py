from typing import Any

from litestar import Request
from litestar.types import Scope

from adapters.http.request_headers import request_headers

AnyRequest = Request[Any, Any, Any]


def bearer_token(scope: Scope) -> str | None:
    """The token of ``Authorization: Bearer …``, or ``None``."""
    scheme, _, token = request_headers(scope).get(b"authorization", b"").partition(b" ")
    return token.strip().decode("latin-1") if scheme.lower() == b"bearer" else None
