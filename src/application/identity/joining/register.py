from dataclasses import dataclass
from functools import partial

from application.identity.joining.send_registration import SendRegistration
from application.identity.session_ports import Attempts
from application.operations.ports import RuntimeSettings
from application.shared.correlation import origin
from application.shared.ports import Errands
from domain.identity.email import normalise_email
from domain.identity.joining.attempts import mail_subjects
from domain.identity.joining.errors import RegistrationClosedError
from domain.identity.joining.registration import RegistrationPolicy
from domain.identity.permissions import Role
from domain.operations.runtime_settings import REGISTRATION_POLICY, REGISTRATION_ROLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Where the server takes registrations, sends a link to the e-mail address with which to make
    an account in the first team. The answer says nothing of whether there is one already: the mail
    does."""

    settings: RuntimeSettings
    attempts: Attempts
    errands: Errands
    send_registration: SendRegistration

    async def __call__(self, email: str) -> None:
        if self.settings.get(REGISTRATION_POLICY) is not RegistrationPolicy.OPEN:
            raise RegistrationClosedError
        address = normalise_email(email)
        await self.attempts.count(mail_subjects(origin.get().address))
        role = Role(self.settings.get(REGISTRATION_ROLE))
        self.errands.send("registration", partial(self.send_registration, address, role=role))
