"""The framework's only exception handler: every error leaves through the two renderers."""

from collections.abc import Callable

import msgspec
from litestar import MediaType, Response

from adapters.http.connection import AnyRequest
from adapters.http.errors import translate
from adapters.http.failures import DATA_PLANE, Failures
from adapters.http.kinds import is_functional, kind_of
from adapters.http.problems import (
    PROBLEM_TYPE,
    Headers,
    Occurrence,
    headers_of,
    openai_error,
    problem,
)
from application.shared.masking import mask_text
from application.shared.ports import IdGenerator

ExceptionHandler = Callable[[AnyRequest, Exception], Response[bytes]]


def error_response(failures: Failures, ids: IdGenerator, *, debug: bool) -> ExceptionHandler:
    """A handler for all exceptions; with ``debug`` technical ones name their exception."""

    def handle(request: AnyRequest, exception: Exception) -> Response[bytes]:
        path, state = request.scope["path"], request.scope["state"]
        is_data_plane = path.startswith(DATA_PLANE) or path == DATA_PLANE.rstrip("/")
        error = translate(exception, method=request.method, path=path)
        technical = not is_functional(type(error))
        error_id = None
        if technical:
            # OpenAI's envelope has no place for an id, so that there it is the request's.
            error_id = state["request_id"] if is_data_plane else ids.new()
        failures.report(error, request.scope, error_id=error_id, cause=exception)
        if is_data_plane:
            answer = openai_error(error)
            return _response(answer.status, MediaType.JSON, answer.headers, answer.body)
        occurrence = Occurrence(
            request_id=state["request_id"],
            correlation_id=state["correlation_id"],
            error_id=error_id,
            debug=_debug(exception) if debug and technical else None,
        )
        body = msgspec.json.encode(problem(error, occurrence))
        return _response(kind_of(type(error)).status, PROBLEM_TYPE, headers_of(error), body)

    return handle


def _response(status: int, media_type: str, headers: Headers, body: bytes) -> Response[bytes]:
    decoded = {name.decode(): value.decode() for name, value in headers}
    return Response(body, status_code=status, media_type=media_type, headers=decoded)


def _debug(exception: Exception) -> dict[str, str]:
    return {"exception": type(exception).__qualname__, "message": mask_text(str(exception))}
