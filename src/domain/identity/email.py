"""E-mail addresses in the one form in which they are stored and compared."""

import re
from unicodedata import category, normalize

from domain.shared.errors import FieldError, InvalidError

MAX_LENGTH = 254
MAX_LOCAL_LENGTH = 64

_LOCAL_MARKS = frozenset("!#$%&'*+-/=?^_`{|}~.")
_LABEL = re.compile(r"[^\W_](?:[^\W_]|-){0,61}(?<!-)")


def normalise_email(text: str) -> str:
    """The address in compatibility form and lower case, so that nobody gets a second account by
    writing theirs differently. Raises ``InvalidError`` for what is no address."""
    address = normalize("NFKC", normalize("NFKC", text.strip()).lower())
    local, _, domain = address.rpartition("@")
    if len(address) > MAX_LENGTH or not (_is_local_part(local) and _is_domain(domain)):
        message = "must be an e-mail address"
        raise InvalidError(
            f"'email' {message}.", param="email", errors=(FieldError("email", message),)
        )
    return address


def _is_local_part(local: str) -> bool:
    if not 1 <= len(local) <= MAX_LOCAL_LENGTH:
        return False
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return False
    return all(mark in _LOCAL_MARKS or category(mark)[0] in "LMN" for mark in local)


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
