import asyncio
import ssl
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

import aiosmtplib
import structlog

from adapters.mail.mail_account import MailAccount
from application.operations.ports import Mailer
from application.shared.ports import Clock, IdGenerator
from domain.operations.errors import MailFailedError
from domain.operations.mail import Mail, masked_address

log = structlog.get_logger()

TIMEOUT_S = 15.0
# A server that is restarted, or wants to be asked again, is asked again.
PAUSES_S = (1.0, 5.0)
_PERMANENT = range(500, 600)
_FAILURES = (aiosmtplib.SMTPException, OSError, ValueError)


class SmtpMailer(Mailer):
    """Hands mail to a server that delivers it; each mail takes a connection of its own."""

    def __init__(
        self,
        account: MailAccount,
        *,
        sender: str,
        clock: Clock,
        ids: IdGenerator,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        """``timeout_s`` bounds each step of the conversation with the server, and there are as many
        further attempts as ``pauses_s``."""
        self._account = account
        self._sender = sender
        self._clock = clock
        self._ids = ids
        self._tls = tls or ssl.create_default_context()
        self._timeout_s = timeout_s
        self._pauses_s = pauses_s

    @property
    def is_there(self) -> bool:
        return True

    async def send(self, mail: Mail) -> None:
        message = self._message(mail)
        for pause_s in (*self._pauses_s, None):
            try:
                await self._hand_in(message, mail.to)
            except _FAILURES as error:
                if pause_s is None or _is_permanent(error):
                    raise MailFailedError(mail.to, _reason(error, mail.to)) from None
                await asyncio.sleep(pause_s)
            else:
                log.info("mail.sent", to=masked_address(mail.to), subject=mail.subject)
                return

    async def _hand_in(self, message: EmailMessage, to: str) -> None:
        account = self._account
        await aiosmtplib.send(
            message,
            # The library would read the envelope's sender off a header that may have a name.
            sender=parseaddr(self._sender)[1],
            recipients=[to],
            hostname=account.host,
            port=account.port,
            username=account.user,
            password=account.password,
            use_tls=account.is_tls,
            start_tls=account.start_tls,
            tls_context=self._tls,
            timeout=self._timeout_s,
        )

    def _message(self, mail: Mail) -> EmailMessage:
        is_plain = mail.to.isascii() and self._sender.isascii()
        message = EmailMessage(policy=SMTP if is_plain else SMTPUTF8)
        name, address = parseaddr(self._sender)
        local, _, domain = address.rpartition("@")
        message["From"] = Address(display_name=name, username=local, domain=domain)
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{self._ids.new()}@{domain}>"
        # So that nobody's out-of-office answers it.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


def _is_permanent(error: Exception) -> bool:
    """Whether asking again would not help."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return _is_permanent(error.recipients[0])
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return error.code in _PERMANENT
    return isinstance(error, ValueError | aiosmtplib.SMTPNotSupported)


def _reason(error: Exception, address: str) -> str:
    """The server's or the network's words, in which the address is masked."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return _reason(error.recipients[0], address)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"the mail server refuses the login ({error.code})"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        said = f"the mail server says {error.code} {' '.join(error.message.split())}"
    elif isinstance(error, TimeoutError):
        said = "the mail server does not answer in time"
    else:
        said = str(error) or type(error).__name__
    return said.replace(address, masked_address(address))
