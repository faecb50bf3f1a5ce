"""What the settings of mail have to be together, and the mailer that they ask for."""

from email.utils import parseaddr

from adapters.mail.mail_account import MailAccount
from domain.identity.email import normalise_email
from domain.shared.errors import FieldError, InvalidError
from entrypoints.settings import Settings


def check_mail(settings: Settings) -> list[FieldError]:
    """What is wrong with the settings of mail."""
    if settings.mail_url is None:
        return []
    problems = []
    try:
        MailAccount.of_url(settings.mail_url)
    except InvalidError as error:
        problems.append(FieldError("STOA_MAIL_URL", error.message.rstrip(".")))
    if not _is_sender(settings.mail_from or ""):
        message = "STOA_MAIL_FROM: mail needs a sender such as `Stoa <stoa@example.com>`"
        problems.append(FieldError("STOA_MAIL_FROM", message))
    if settings.is_production and settings.public_url is None:
        message = "STOA_PUBLIC_URL: mail needs it in production, since links begin with it"
        problems.append(FieldError("STOA_PUBLIC_URL", message))
    return problems


def _is_sender(text: str) -> bool:
    name, address = parseaddr(text)
    try:
        normalise_email(address)
    except InvalidError:
        return False
    return name.isprintable()
