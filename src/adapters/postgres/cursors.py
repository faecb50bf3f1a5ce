"""Cursors of endless streams: the id of the last row that was seen, as text."""

import base64
import binascii
from uuid import UUID

from domain.shared.errors import FieldError, InvalidError


def cursor_at(row_id: UUID) -> str:
    return base64.urlsafe_b64encode(row_id.bytes).rstrip(b"=").decode()


def id_in(cursor: str) -> UUID:
    """Raises ``InvalidError`` for what is no cursor."""
    try:
        raw = base64.b64decode(cursor + "==", altchars=b"-_", validate=True)
        found = UUID(bytes=raw)
    except (ValueError, binascii.Error):
        found = None
    if found is None or cursor_at(found) != cursor:
        message = "is not a cursor of this list"
        raise InvalidError(
            f"'cursor' {message}.", param="cursor", errors=(FieldError("cursor", message),)
        )
    return found
