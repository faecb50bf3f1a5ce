import re
from dataclasses import dataclass, field
from datetime import datetime
from unicodedata import category

from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import UserId

DEFAULT_COLOUR = "#64748b"
DEFAULT_LOCALE = "en"
MAX_DISPLAY_NAME_LENGTH = 100
MAX_SUBJECT_LENGTH = 255

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")


@dataclass(slots=True, kw_only=True)
class User:
    """A person. The owner of a fresh server has neither an e-mail address nor another identity
    until somebody sets it up; who has no ``password_hash`` cannot log in with a password.

    ``external_issuer`` and ``external_subject`` are who the person is to an identity provider.
    """

    id: UserId
    display_name: str
    created_at: datetime
    email: str | None = None
    avatar_colour: str = DEFAULT_COLOUR
    locale: str = DEFAULT_LOCALE
    is_active: bool = True
    is_operator: bool = False
    password_hash: str | None = field(default=None, repr=False)
    external_issuer: str | None = None
    external_subject: str | None = None
    last_login_at: datetime | None = None

    @property
    def is_person(self) -> bool:
        return self.email is not None or self.external_subject is not None

    def rename(self, display_name: str) -> None:
        self.display_name = check_display_name(display_name)

    def recolour(self, avatar_colour: str) -> None:
        self.avatar_colour = check_colour(avatar_colour)

    def speak(self, locale: str) -> None:
        self.locale = check_locale(locale)


def check_display_name(name: str) -> str:
    """Return the name without surrounding space, or raise ``InvalidError``."""
    stripped = name.strip()
    if not 1 <= len(stripped) <= MAX_DISPLAY_NAME_LENGTH:
        raise _wrong("display_name", f"must have 1 to {MAX_DISPLAY_NAME_LENGTH} characters")
    if any(category(character) == "Cc" for character in stripped):
        raise _wrong("display_name", "must not contain control characters")
    return stripped


def fitting_display_name(name: str) -> str:
    """What is left of a name from elsewhere that cannot be asked to change."""
    printable = "".join(character for character in name if category(character) != "Cc")
    return printable.strip()[:MAX_DISPLAY_NAME_LENGTH].strip() or "User"


def check_colour(colour: str) -> str:
    """Return the colour as ``#rrggbb`` in lower case, or raise ``InvalidError``."""
    lowered = colour.lower()
    if not _COLOUR.fullmatch(lowered):
        raise _wrong("avatar_colour", "must be a colour such as '#64748b'")
    return lowered


def check_locale(locale: str) -> str:
    """Return the language tag, or raise ``InvalidError``."""
    if not _LOCALE.fullmatch(locale):
        raise _wrong("locale", "must be a language tag such as 'en' or 'de-AT'")
    return locale


def check_subject(subject: str) -> str:
    """Return an identity provider's name for a person, or raise ``InvalidError``."""
    if not 1 <= len(subject) <= MAX_SUBJECT_LENGTH:
        raise _wrong("external_subject", f"must have 1 to {MAX_SUBJECT_LENGTH} characters")
    if any(category(character) == "Cc" for character in subject):
        raise _wrong("external_subject", "must not contain control characters")
    return subject


def _wrong(field_name: str, message: str) -> InvalidError:
    return InvalidError(
        f"'{field_name}' {message}.", param=field_name, errors=(FieldError(field_name, message),)
    )
