"""The framework's only exception handler: every error leaves through the two renderers."""

from collections.abc import Callable

import msgspec
from litestar import MediaType, Response

from adapters.http.connection import AnyRequest
from adapters.http.errors import translate
from adapters.http.errors_by_path import data_plane_error
from adapters.http.failures import Failures
from adapters.http.kinds import is_functional, kind_of
from adapters.http.problems import (
    PROBLEM_TYPE,
    Headers,
    Occurrence,
    headers_of,
    problem,
)
from application.shared.masking import mask_text
from application.shared.ports import IdGenerator

ExceptionHandler = Callable[[AnyRequest, Exception], Response[bytes]]


def error_response(failures: Failures, ids: IdGenerator, *, debug: bool) -> ExceptionHandler:
    """A handler for all exceptions; with ``debug`` technical ones name their exception."""

    def handle(request: AnyRequest, exception: Exception) -> Response[bytes]:
        path, state = request.scope["path"], request.scope["state"]
        error = translate(exception, method=request.method, path=path)
        technical = not is_functional(type(error))
        error_id = None
        answer = data_plane_error(path, error, state["request_id"])
        if technical:
            # OpenAI's envelope has no place for an id, so that there it is the request's.
            error_id = ids.new() if answer is None else state["request_id"]
        failures.report(error, request.scope, error_id=error_id, cause=exception)
        if answer is not None:
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
