"""What a password has to be: long enough, and not one that everybody tries first. Nothing is asked
of its characters."""

from unicodedata import normalize

from domain.shared.errors import FieldError, InvalidError

MIN_LENGTH = 10
MAX_BYTES = 1024


def normalise_password(password: str) -> str:
    """One form for what looks the same, whatever keyboard it was typed on."""
    return normalize("NFKC", password)


def is_too_long(password: str) -> bool:
    return len(password.encode(errors="replace")) > MAX_BYTES


def check_length(password: str, *, param: str) -> None:
    """Raises ``InvalidError`` naming ``param``."""
    if len(password) < MIN_LENGTH:
        raise _wrong(param, f"must have at least {MIN_LENGTH} characters", "too_short")
    if is_too_long(password):
        raise _wrong(param, f"must have at most {MAX_BYTES} bytes", "too_long")


def too_common(param: str) -> InvalidError:
    """What is said of a password that is tried first."""
    return _wrong(param, "is one of the most common ones", "too_common")


def _wrong(param: str, message: str, code: str) -> InvalidError:
    return InvalidError(
        f"'{param}' {message}.", param=param, errors=(FieldError(param, message, code),)
    )
