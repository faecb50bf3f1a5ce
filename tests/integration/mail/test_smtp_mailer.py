"""The mailer against a real mail server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from adapters.mail.mail_account import MailAccount
from adapters.mail.smtp_mailer import SmtpMailer
from domain.operations.errors import MailFailedError
from domain.operations.mail import Mail
from tests.fakes.clock import FrozenClock
from tests.fakes.ids import SequentialIds
from tests.fixtures.mail_server import PASSWORD, USER, mail_server, make_certificates, text_of

CERTIFICATES = make_certificates()
LOGIN = f"{USER}:{quote(PASSWORD, safe='')}@"
LETTER = Mail(to="ada@example.com", subject="Grüße", text="Öffne\nhttps://x.test/#token=abc\n")


def mailer(
    url: str,
    *,
    tls: ssl.SSLContext | None = None,
    timeout_s: float = 5.0,
    sender: str = "",
    pauses_s: tuple[float, ...] = (),
) -> SmtpMailer:
    return SmtpMailer(
        MailAccount.of_url(url),
        sender=sender or "Stoa <stoa@example.com>",
        clock=FrozenClock(),
        ids=SequentialIds(),
        tls=tls,
        timeout_s=timeout_s,
        pauses_s=pauses_s,
    )


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with mail_server() as post:
        await mailer(f"smtp://127.0.0.1:{post.port}").send(LETTER)

    (message,) = post.received
    assert message["To"] == "ada@example.com"
    assert message["From"] == "Stoa <stoa@example.com>"
    assert message["Subject"] == "Grüße"
    assert message["Date"] == "Sat, 21 Nov 2026 09:00:00 +0000"
    assert message["Message-ID"].endswith("@example.com>")
    assert text_of(message).splitlines() == LETTER.text.splitlines()
    assert post.envelopes[0].mail_from == "stoa@example.com"
    assert post.envelopes[0].rcpt_tos == ["ada@example.com"]
    assert post.were_encrypted == [False]


async def test_an_address_beyond_ascii_is_written_to() -> None:
    async with mail_server() as post:
        await mailer(f"smtp://127.0.0.1:{post.port}").send(
            Mail(to="jürgen@bücher.example", subject="Hello", text="You.")
        )

    assert post.envelopes[0].rcpt_tos == ["jürgen@bücher.example"]


async def test_the_connection_is_upgraded_where_the_server_offers_it() -> None:
    async with mail_server(starts_tls=CERTIFICATES.server) as post:
        url = f"smtp://127.0.0.1:{post.port}"
        await mailer(url, tls=CERTIFICATES.client).send(LETTER)

    assert post.were_encrypted == [True]


async def test_smtps_is_encrypted_from_the_first_byte_and_logs_in() -> None:
    async with mail_server(is_tls=CERTIFICATES.server, needs_login=True) as post:
        url = f"smtps://{LOGIN}127.0.0.1:{post.port}"
        await mailer(url, tls=CERTIFICATES.client).send(LETTER)

    assert len(post.received) == 1


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    async with mail_server(starts_tls=CERTIFICATES.server) as post:
        with pytest.raises(MailFailedError, match=r"CERTIFICATE_VERIFY_FAILED|certificate"):
            await mailer(f"smtp://127.0.0.1:{post.port}").send(LETTER)

    assert post.received == []


async def test_a_wrong_login_fails_without_repeating_it() -> None:
    async with mail_server(needs_login=True) as post:
        with pytest.raises(MailFailedError) as caught:
            await mailer(f"smtp://{USER}:canary-password@127.0.0.1:{post.port}").send(LETTER)

    assert "refuses the login (535)" in caught.value.message
    assert "canary" not in caught.value.message


async def test_a_refused_recipient_is_said_with_the_address_masked() -> None:
    async with mail_server() as post:
        post.answers["RCPT"] = "550 5.1.1 <{address}>: nobody here"
        with pytest.raises(MailFailedError) as caught:
            await mailer(f"smtp://127.0.0.1:{post.port}").send(LETTER)

    assert caught.value.message == (
        "The mail to a…@example.com could not be sent: the mail server says 550 5.1.1 "
        "<a…@example.com>: nobody here."
    )


async def test_a_refused_message_is_a_failure() -> None:
    async with mail_server() as post:
        post.answers["DATA"] = "552 too much mail"
        with pytest.raises(MailFailedError, match="552 too much mail"):
            await mailer(f"smtp://127.0.0.1:{post.port}").send(LETTER)


async def test_a_server_that_wants_to_be_asked_again_is_asked_again() -> None:
    async with mail_server() as post:
        post.answers["RCPT"] = "451 4.7.1 try again later"
        sending = asyncio.create_task(
            mailer(f"smtp://127.0.0.1:{post.port}", pauses_s=(0.1, 0.3)).send(LETTER)
        )
        await asyncio.sleep(0.2)
        refused = post.received == []
        del post.answers["RCPT"]
        await sending

    assert refused
    assert len(post.received) == 1


async def test_a_refusal_for_good_is_not_tried_again() -> None:
    async with mail_server() as post:
        post.answers["RCPT"] = "550 5.1.1 nobody here"
        with pytest.raises(MailFailedError):
            await mailer(f"smtp://127.0.0.1:{post.port}", pauses_s=(60.0,)).send(LETTER)


async def test_a_mail_that_was_sent_is_logged_without_its_text() -> None:
    async with mail_server() as post:
        with capture_logs() as logs:
            await mailer(f"smtp://127.0.0.1:{post.port}").send(LETTER)

    assert logs == [
        {
            "event": "mail.sent",
            "log_level": "info",
            "to": "a…@example.com",
            "subject": "Grüße",
        }
    ]


async def test_a_server_that_is_away_is_a_failure() -> None:
    async with mail_server() as post:
        port = post.port

    with pytest.raises(MailFailedError, match="could not be sent"):
        await mailer(f"smtp://127.0.0.1:{port}").send(LETTER)


async def test_a_server_that_does_not_answer_is_given_up() -> None:
    async with silent_server() as port:
        with pytest.raises(MailFailedError, match="does not answer in time"):
            await mailer(f"smtp://127.0.0.1:{port}", timeout_s=0.2).send(LETTER)


async def test_a_server_that_falls_silent_midway_is_given_up() -> None:
    async with mail_server() as post:
        post.delay_s = 1.0
        with pytest.raises(MailFailedError, match="does not answer in time"):
            await mailer(f"smtp://127.0.0.1:{post.port}", timeout_s=0.3).send(LETTER)


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
