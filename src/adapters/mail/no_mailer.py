from application.operations.ports import Mailer
from domain.operations.errors import MailNotConfiguredError
from domain.operations.mail import Mail


class NoMailer(Mailer):
    """For a server that has been told of no mail server."""

    @property
    def is_there(self) -> bool:
        return False

    async def send(self, mail: Mail) -> None:
        raise MailNotConfiguredError
