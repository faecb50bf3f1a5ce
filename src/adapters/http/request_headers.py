"""The headers of a request by their names, found out once for all who ask for some of them."""

from collections.abc import Mapping
from typing import Any

from litestar.types import Scope

_HEADERS = "headers_by_name"


def request_headers(scope: Scope) -> Mapping[bytes, bytes]:
    """The first header of each name; the names are in small letters."""
    kept: Any = scope
    found: Mapping[bytes, bytes] | None = kept.get(_HEADERS)
    if found is None:
        found = kept[_HEADERS] = dict(reversed(kept["headers"]))
    return found


def all_of(scope: Scope, name: bytes) -> list[bytes]:
    """What is said in all headers of that name, for those that may come more than once."""
    if name not in request_headers(scope):
        return []
    return [value for known, value in scope["headers"] if known == name]
