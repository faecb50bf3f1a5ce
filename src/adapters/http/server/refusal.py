"""What is told to a client whose bytes never become a request."""

from uuid import UUID

import msgspec

from adapters.http.failures import DATA_PLANE
from adapters.http.kinds import kind_of
from adapters.http.problems import PROBLEM_TYPE, Occurrence, openai_error, problem
from domain.shared.errors import StoaError


def refusal(error: StoaError, url: bytes, request_id: UUID) -> bytes:
    """A whole answer in the words of the API that the ``url`` belongs to, as far as it is known."""
    shown = str(request_id)
    if url.startswith(DATA_PLANE.rstrip("/").encode()):
        content_type, body = "application/json", openai_error(error).body
    else:
        occurrence = Occurrence(request_id=request_id, correlation_id=shown)
        content_type, body = PROBLEM_TYPE, msgspec.json.encode(problem(error, occurrence))
    kind = kind_of(type(error))
    lines = [
        f"HTTP/1.1 {kind.status} {kind.title}",
        f"content-type: {content_type}",
        f"content-length: {len(body)}",
        f"x-request-id: {shown}",
        f"x-correlation-id: {shown}",
        "x-content-type-options: nosniff",
        "connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
