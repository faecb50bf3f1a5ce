from dataclasses import dataclass
from functools import partial

from application.identity.joining.send_password_reset import SendPasswordReset
from application.identity.session_ports import Attempts
from application.shared.correlation import origin
from application.shared.ports import Errands
from domain.identity.email import normalise_email
from domain.identity.joining.attempts import mail_subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPasswordReset:
    """Sends a link for a new password to the e-mail address, if somebody has an account with it.

    The answer comes before anybody has looked, so that neither it nor its time tells whether there
    is such an account.
    """

    attempts: Attempts
    errands: Errands
    send_reset: SendPasswordReset

    async def __call__(self, email: str) -> None:
        address = normalise_email(email)
        await self.attempts.count(mail_subjects(origin.get().address))
        self.errands.send("password_reset", partial(self.send_reset, address))
