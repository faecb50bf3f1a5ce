from datetime import UTC, datetime

from domain.shared.errors import FieldError, InvalidError

# Beyond these, not every time zone has a date for a time.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def check_moments(**moments: datetime | None) -> None:
    """Raises ``InvalidError`` naming the first moment that no record can be asked for."""
    for name, at in moments.items():
        if at is not None and not _EARLIEST <= at <= _LATEST:
            message = f"must be between the years {_EARLIEST.year} and {_LATEST.year}"
            raise InvalidError(
                f"'{name}' {message}.", param=name, errors=(FieldError(name, message),)
            )
