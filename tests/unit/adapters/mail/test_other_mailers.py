import pytest

from adapters.mail.console_mailer import ConsoleMailer
from adapters.mail.no_mailer import NoMailer
from domain.operations.errors import MailNotConfiguredError
from domain.operations.mail import Mail

LETTER = Mail(to="ada@example.com", subject="Hello", text="Open https://x.test/#token=abc")


async def test_the_console_shows_the_whole_mail(capsys: pytest.CaptureFixture[str]) -> None:
    await ConsoleMailer().send(LETTER)

    shown = capsys.readouterr()
    assert "To: ada@example.com\nSubject: Hello\n\nOpen https://x.test/#token=abc" in shown.out
    assert shown.err == ""


async def test_without_a_mail_server_no_mail_is_sent() -> None:
    mailer = NoMailer()

    assert not mailer.is_there
    with pytest.raises(MailNotConfiguredError):
        await mailer.send(LETTER)


def test_a_mail_does_not_show_its_text() -> None:
    assert "token" not in repr(LETTER)
