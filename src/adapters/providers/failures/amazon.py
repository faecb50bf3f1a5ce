"""The shape that Amazon Bedrock uses for failures; inside a stream, ``__type`` names them."""

import msgspec

from adapters.providers.failures.failure import Failure, plain, word
from adapters.providers.json_reading import NOT_JSON

_TEXT_LIMIT = 300
_MESSAGE_LIMIT = 2000
_STATUSES = {
    "validationexception": 400,
    "servicequotaexceededexception": 429,
    "accessdeniedexception": 403,
    "resourcenotfoundexception": 404,
    "modeltimeoutexception": 408,
    "throttlingexception": 429,
    "modelnotreadyexception": 503,
    "serviceunavailableexception": 503,
}
_OF_CREDENTIALS = frozenset(
    {
        "expiredtokenexception",
        "invalidsignatureexception",
        "missingauthenticationtokenexception",
        "unrecognizedclientexception",
    }
)


def amazon_failure(body: bytes) -> Failure:
    """A body of another shape is taken as text, shortened."""
    try:
        said = msgspec.json.decode(body, type=dict[str, object])
    except NOT_JSON:
        return Failure(plain(body.decode("utf-8", "replace"), _TEXT_LIMIT))
    kind = (word(said.get("__type")) or "").rpartition("#")[2]
    message = said.get("message") or said.get("Message") or ""
    return Failure(
        plain(str(message), _MESSAGE_LIMIT),
        type=kind or None,
        said_status=_STATUSES.get(kind.casefold(), 500) if kind else None,
        is_of_credentials=kind.casefold() in _OF_CREDENTIALS,
    )
