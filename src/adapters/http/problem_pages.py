"""What the ``type`` of a problem leads to: a page about its code, read off the taxonomy."""

import base64
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from typing import Any

from litestar import MediaType, Response, get
from litestar.params import FromPath

from adapters.http.catalogue import ErrorEntry, error_catalogue
from adapters.http.connection import AnyRequest
from adapters.http.errors import RouteNotFoundError
from adapters.http.kinds import problem_type
from adapters.http.security_headers import CLOSED_POLICY, allow_content

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;"
    "color:#1c2430}h1{font-size:1.5rem}code{background:#eef1f5;padding:.1em .3em;border-radius:3px}"
    "th,td{text-align:left;padding:.3rem 1rem .3rem 0;vertical-align:top}"
    "a{color:#0b5cad}@media(prefers-color-scheme:dark){body{background:#14181f;color:#dde3ea}"
    "code{background:#262d38}a{color:#7db8f5}}"
)
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"{CLOSED_POLICY.decode()}; style-src 'sha256-{_STYLE_HASH}'".encode()

_ADVICE = {
    True: "Functional: the request has to change; sending it again as it was will not help, "
    "unless the answer says when to retry.",
    False: "Technical: the request was not at fault. Its problem has an `id` under which the "
    "server logged it, and trying again later may help.",
}


@get(
    "/problems", operation_id="list_problems", summary="List the error codes", tags=("operations",)
)
async def list_problems(request: AnyRequest) -> Response[Any]:
    """Every code that an error can carry, as a page or as JSON."""
    entries = error_catalogue().values()
    if _wants_json(request):
        return Response({"items": [_as_json(entry) for entry in entries]})
    return _page(request, "Problems", _table(entries))


@get(
    "/problems/{slug:str}",
    operation_id="get_problem",
    summary="Explain an error code",
    tags=("operations",),
)
async def get_problem(slug: FromPath[str], request: AnyRequest) -> Response[Any]:
    """What a code means and what to do about it, as a page or as JSON."""
    entry = error_catalogue().get(slug.upper().replace("-", "_"))
    if entry is None:
        raise RouteNotFoundError(request.method, request.url.path)
    if _wants_json(request):
        return Response(_as_json(entry))
    return _page(request, entry.code, _article(entry))


def _wants_json(request: AnyRequest) -> bool:
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def _as_json(entry: ErrorEntry) -> dict[str, object]:
    return {
        "type": problem_type(entry.code),
        "code": entry.code,
        "title": entry.kind.title,
        "status": entry.kind.status,
        "kind": "FUNCTIONAL" if entry.functional else "TECHNICAL",
        "description": entry.description,
        "openai_type": entry.kind.openai_type,
    }


def _table(entries: Iterable[ErrorEntry]) -> str:
    rows = "".join(
        f'<tr><td><a href="{problem_type(entry.code)}"><code>{entry.code}</code></a></td>'
        f"<td>{entry.kind.status}</td><td>{_marked_up(entry.description)}</td></tr>"
        for entry in entries
    )
    return f"<table><tr><th>Code</th><th>Status</th><th>Meaning</th></tr>{rows}</table>"


def _article(entry: ErrorEntry) -> str:
    return (
        f"<p>{_marked_up(entry.description)}</p>"
        f"<p>{_marked_up(_ADVICE[entry.functional])}</p>"
        f"<table><tr><th>Status</th><td>{entry.kind.status} {escape(entry.kind.title)}</td></tr>"
        f"<tr><th>Under <code>/v1</code></th><td><code>{entry.kind.openai_type}</code></td></tr>"
        "</table>"
        '<p><a href="/problems">All problems</a></p>'
    )


def _marked_up(text: str) -> str:
    """Escaped, with what stands in backticks as code."""
    parts = escape(text).replace("``", "`").split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))


def _page(request: AnyRequest, title: str, content: str) -> Response[str]:
    allow_content(request.scope, _POLICY)
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · Stoa</title><style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1>{content}</body></html>"
    )
    return Response(html, media_type=MediaType.HTML)
