"""Errors of requests that no door has taken, in the words of the API that they are meant for."""

from uuid import UUID

from adapters.http.anthropic.manner import anthropic_error
from adapters.http.failures import DATA_PLANE
from adapters.http.problems import ErrorAnswer, openai_error
from domain.shared.errors import StoaError

_MESSAGES = "/v1/messages"


def data_plane_error(path: str, error: StoaError, request_id: UUID) -> ErrorAnswer | None:
    """``None`` for a path that belongs to none of them."""
    if not f"{path}/".startswith(DATA_PLANE):
        return None
    if f"{path}/".startswith(f"{_MESSAGES}/"):
        return anthropic_error(error, request_id)
    return openai_error(error)
