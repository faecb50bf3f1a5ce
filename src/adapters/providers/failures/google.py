"""The shape that Google's services use for failures: ``google.rpc.Status`` in ``error``."""

import re

import msgspec

from adapters.providers.failures.failure import Failure, plain
from adapters.providers.json_reading import NOT_JSON

_TEXT_LIMIT = 300
_MESSAGE_LIMIT = 2000
_STATUSES = range(400, 600)
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_WRONG_KEY = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED"})


class _Violation(msgspec.Struct):
    field: str | None = None


class _Detail(msgspec.Struct, rename="camel"):
    """The members of all the kinds of details that are read."""

    reason: str | None = None
    retry_delay: str | None = None
    field_violations: list[_Violation] = []


class _Error(msgspec.Struct):
    code: int | None = None
    message: str = ""
    status: str | None = None
    details: list[_Detail] = []


class _Body(msgspec.Struct):
    error: _Error


_one = msgspec.json.Decoder(_Body)
_several = msgspec.json.Decoder(list[_Body])


def google_failure(body: bytes) -> Failure:
    """A body of another shape is taken as text, shortened."""
    error = _error(body)
    if error is None:
        return Failure(plain(body.decode("utf-8", "replace"), _TEXT_LIMIT))
    reasons = [detail.reason for detail in error.details if detail.reason]
    fields = [one.field for detail in error.details for one in detail.field_violations]
    delays = [_seconds(detail.retry_delay) for detail in error.details if detail.retry_delay]
    return Failure(
        plain(error.message, _MESSAGE_LIMIT),
        type=error.status,
        param=next((plain(field, 200) for field in fields if field), None),
        code=reasons[0] if reasons else None,
        said_status=error.code if error.code in _STATUSES else None,
        retry_after=next((delay for delay in delays if delay is not None), None),
        is_of_credentials=not _WRONG_KEY.isdisjoint(reasons),
    )


def _error(body: bytes) -> _Error | None:
    try:
        if body.lstrip().startswith(b"["):
            # A stream that was not asked for as events is an array, and so are its failures.
            return next((one.error for one in _several.decode(body)), None)
        return _one.decode(body).error
    except NOT_JSON:
        return None


def _seconds(delay: str) -> float | None:
    found = _SECONDS.fullmatch(delay)
    return float(found[1]) if found else None
