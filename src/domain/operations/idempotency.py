"""Requests that are done once, however often they are sent.

A client that does not know whether a request arrived sends it again under the same key
(draft-ietf-httpapi-idempotency-key-header), and gets the answer of the first.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import TeamId

HEADER = "Idempotency-Key"
MAX_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """A request under a key, which belongs to whoever sends it: ``principal_id`` is the API key or
    the user. ``fingerprint`` stands for all that the request asks."""

    team_id: TeamId
    principal_id: UUID
    key: str
    fingerprint: bytes

    def __post_init__(self) -> None:
        """Raises ``InvalidError`` for a key that is none."""
        is_readable = self.key.isascii() and self.key.isprintable()
        if not is_readable or not 0 < len(self.key) <= MAX_KEY_LENGTH:
            message = f"must have 1 to {MAX_KEY_LENGTH} printable ASCII characters"
            raise InvalidError(
                f"The header '{HEADER}' {message}.",
                param=HEADER,
                errors=(FieldError(HEADER, message),),
            )

    @property
    def place(self) -> str:
        """Where its answer belongs."""
        return f"answer {self.team_id} {self.principal_id} {self.key}"
