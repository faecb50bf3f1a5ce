from typing import Any

from litestar import Request
from litestar.types import Scope

AnyRequest = Request[Any, Any, Any]


def bearer_token(scope: Scope) -> str | None:
    """The token of ``Authorization: Bearer …``, or ``None``."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.partition(b" ")
            return token.strip().decode("latin-1") if scheme.lower() == b"bearer" else None
    return None
