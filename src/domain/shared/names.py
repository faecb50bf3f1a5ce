from domain.shared.errors import FieldError, InvalidError

MAX_NAME_LENGTH = 100


def check_name(name: str) -> str:
    """Return the name without surrounding space, or raise ``InvalidError`` naming ``name``."""
    stripped = name.strip()
    if not 1 <= len(stripped) <= MAX_NAME_LENGTH:
        message = f"must have 1 to {MAX_NAME_LENGTH} characters"
        raise InvalidError(
            f"'name' {message}.", param="name", errors=(FieldError("name", message),)
        )
    return stripped
