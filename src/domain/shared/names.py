from unicodedata import category

from domain.shared.errors import FieldError, InvalidError

MAX_NAME_LENGTH = 100


def check_name(name: str, *, param: str = "name") -> str:
    """Return the name without surrounding space, or raise ``InvalidError`` naming ``param``."""
    stripped = name.strip()
    message = None
    if not 1 <= len(stripped) <= MAX_NAME_LENGTH:
        message = f"must have 1 to {MAX_NAME_LENGTH} characters"
    elif any(category(character) == "Cc" for character in stripped):
        message = "must not contain control characters"
    if message:
        raise InvalidError(
            f"'{param}' {message}.", param=param, errors=(FieldError(param, message),)
        )
    return stripped
