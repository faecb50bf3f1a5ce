"""What is told to a client whose bytes never become a request."""

from uuid import UUID

import msgspec

from adapters.http.errors_by_path import data_plane_error
from adapters.http.kinds import kind_of
from adapters.http.problems import PROBLEM_TYPE, Occurrence, problem
from domain.shared.errors import StoaError


def refusal(error: StoaError, url: bytes, request_id: UUID) -> bytes:
    """A whole answer in the words of the API that the ``url`` belongs to, as far as it is known."""
    shown = str(request_id)
    path = url.partition(b"?")[0].decode("latin-1")
    kind = kind_of(type(error))
    status = kind.status
    said = data_plane_error(path, error, request_id)
    if said is not None:
        content_type, body, status = "application/json", said.body, said.status
    else:
        occurrence = Occurrence(request_id=request_id, correlation_id=shown)
        content_type, body = PROBLEM_TYPE, msgspec.json.encode(problem(error, occurrence))
    lines = [
        f"HTTP/1.1 {status} {kind.title}",
        f"content-type: {content_type}",
        f"content-length: {len(body)}",
        f"x-request-id: {shown}",
        f"x-correlation-id: {shown}",
        "x-content-type-options: nosniff",
        "connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
