import asyncio
from pathlib import Path

import pytest
from dishka import AsyncContainer

from adapters.catalog.definitions import LoadedCatalog
from adapters.mail.console_mailer import ConsoleMailer
from adapters.mail.no_mailer import NoMailer
from adapters.mail.smtp_mailer import SmtpMailer
from application.identity.joining.links import Links
from application.operations.ports import Mailer
from application.shared.ports import Errands
from domain.operations.errors import SettingsError
from domain.operations.mail import Mail
from entrypoints.container import make_container
from entrypoints.settings import Settings, shown_value
from entrypoints.settings_loading import load_settings
from tests.fixtures.mail_server import mail_server

MAIL = {
    "STOA_MAIL_URL": "smtp://stoa:secret@mail.example.com",
    "STOA_MAIL_FROM": "Stoa <stoa@example.com>",
}
PRODUCTION = {"STOA_ENVIRONMENT": "production", "STOA_SECRET_KEY": "f3a9c1d07be24586" * 3}


def container_of(settings: Settings) -> AsyncContainer:
    return make_container(settings, LoadedCatalog(providers=(), models=()))


def load(environ: dict[str, str]) -> Settings:
    return load_settings(environ, None).settings


def test_mail_is_set_by_where_it_goes_and_whom_it_is_from() -> None:
    settings = load(MAIL)

    assert settings.mail_url == MAIL["STOA_MAIL_URL"]
    assert shown_value("mail_url", settings) == "smtp://stoa:[MASKED]@mail.example.com"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"STOA_MAIL_URL": "http://secret@x.test"}, "STOA_MAIL_URL (environment): expected a URL"),
        (MAIL | {"STOA_MAIL_URL": "smtp://secret@x.test"}, "needs a user and a password"),
        ({"STOA_MAIL_URL": "smtp://x.test"}, "STOA_MAIL_FROM: mail needs a sender"),
        (MAIL | {"STOA_MAIL_FROM": "secret nobody"}, "STOA_MAIL_FROM: mail needs a sender"),
        (MAIL | PRODUCTION, "STOA_PUBLIC_URL: mail needs it in production"),
        ({"STOA_PUBLIC_URL": "https://x.test/path"}, "expected a URL such as"),
        ({"STOA_PUBLIC_URL": "x.test"}, "expected a URL such as"),
    ],
    ids=["scheme", "login", "no sender", "wrong sender", "production", "path", "no scheme"],
)
def test_what_mail_cannot_be_sent_with_is_refused(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ)

    assert said in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("environ", "mailer"),
    [({}, ConsoleMailer), (PRODUCTION, NoMailer), (MAIL, SmtpMailer)],
    ids=["development", "production", "server"],
)
async def test_the_settings_choose_the_mailer(
    environ: dict[str, str], mailer: type[Mailer], tmp_path: Path
) -> None:
    container = container_of(load(environ | {"STOA_DATA_DIR": str(tmp_path)}))

    assert type(await container.get(Mailer)) is mailer

    await container.close()


async def test_mail_goes_to_the_server_that_was_set_from_the_sender_that_was_set() -> None:
    async with mail_server() as post:
        container = container_of(load(MAIL | {"STOA_MAIL_URL": f"smtp://127.0.0.1:{post.port}"}))
        mailer = await container.get(Mailer)
        await mailer.send(Mail(to="ada@example.com", subject="Hello", text="You."))
        await container.close()

    assert post.received[0]["From"] == "Stoa <stoa@example.com>"


@pytest.mark.parametrize(
    ("environ", "link"),
    [
        ({"STOA_PUBLIC_URL": "https://x.test/"}, "https://x.test/setup#token=abc"),
        ({"STOA_PORT": "81", "STOA_HOST": "0.0.0.0"}, "http://127.0.0.1:81/setup#token=abc"),
    ],
    ids=["set", "not set"],
)
async def test_links_begin_with_the_public_url(environ: dict[str, str], link: str) -> None:
    container = container_of(load(environ))

    assert (await container.get(Links)).setup("abc") == link

    await container.close()


async def test_the_end_of_the_process_waits_for_errands() -> None:
    container = container_of(Settings())
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.02)
        done.append("work")

    (await container.get(Errands)).send("work", work)
    await container.close()

    assert done == ["work"]
