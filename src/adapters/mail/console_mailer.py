from application.operations.ports import Mailer
from domain.operations.mail import Mail

_FRAME = "-" * 72


class ConsoleMailer(Mailer):
    """Shows mail to whoever develops, on standard output: a log is kept and read by others, and
    what a mail says opens accounts."""

    @property
    def is_there(self) -> bool:
        return True

    async def send(self, mail: Mail) -> None:
        lines = (_FRAME, f"To: {mail.to}", f"Subject: {mail.subject}", "", mail.text, _FRAME)
        print("\n".join(lines), flush=True)  # noqa: T201 - it is what this mailer is for
