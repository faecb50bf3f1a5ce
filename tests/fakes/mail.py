from application.operations.ports import Mailer
from domain.operations.errors import MailFailedError, MailNotConfiguredError
from domain.operations.mail import Mail


class RecordingMailer(Mailer):
    """Keeps what it is given in ``sent``. With ``reason`` each mail fails for it, and without
    ``is_there`` it is the mailer of a server that sends none."""

    def __init__(self, *, is_there: bool = True) -> None:
        self.sent: list[Mail] = []
        self.reason: str | None = None
        self._is_there = is_there

    @property
    def is_there(self) -> bool:
        return self._is_there

    async def send(self, mail: Mail) -> None:
        if not self._is_there:
            raise MailNotConfiguredError
        if self.reason is not None:
            raise MailFailedError(mail.to, self.reason)
        self.sent.append(mail)
