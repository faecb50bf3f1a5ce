"""The pages as people see them, in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest

from tests.e2e.conftest import SCRIPTED
from tests.fixtures.browser import BROWSER, Tab, browser_tab
from tests.fixtures.mail_server import Post, mail_server, text_of
from tests.fixtures.patience import until
from tests.fixtures.server import StoaServer

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="there is no chromium on this machine"),
]

PASSWORD = "correct horse battery"
SETUP_LINK = re.compile(r"http\S+/setup#token=\S+")


@dataclass
class Desk:
    server: StoaServer
    post: Post
    tab: Tab

    @property
    def setup_link(self) -> str:
        found = SETUP_LINK.search(self.server.output)
        assert found is not None
        return found.group()

    async def link_in_mail(self, to: str) -> str:
        await until(lambda: any(to in str(m["To"]) for m in self.post.received))
        message = next(m for m in self.post.received if to in str(m["To"]))
        self.post.received.remove(message)
        found = re.search(r"http\S+", text_of(message))
        assert found is not None
        return found.group()

    async def can_log_in(self, email: str, password: str) -> bool:
        async with httpx.AsyncClient(base_url=self.server.url) as client:
            body = {"email": email, "password": password}
            return (await client.post("/api/v1/auth/login", json=body)).is_success


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("browser")
    async with AsyncExitStack() as stack:
        post = await stack.enter_async_context(mail_server())
        server = StoaServer(
            data_dir=folder / "stoa",
            config=SCRIPTED,
            settings={
                "STOA_MAIL_URL": f"smtp://127.0.0.1:{post.port}",
                "STOA_MAIL_FROM": "stoa@example.com",
            },
        )
        await asyncio.to_thread(server.start)
        stack.push_async_callback(asyncio.to_thread, server.stop)
        tab = await stack.enter_async_context(browser_tab(folder / "profile"))
        yield Desk(server, post, tab)


async def test_a_fresh_server_is_set_up(desk: Desk) -> None:
    tab = desk.tab
    await tab.open(f"{desk.server.url}/setup")
    without_token = await tab.heading()
    await tab.open(desk.setup_link)
    first = await tab.heading()
    address = await tab.address()
    await tab.fill(team_name="Engines", display_name="Ada", email="ada@example.com")
    await tab.fill(password="short")
    await tab.submit()
    wrong = await tab.run("document.querySelector('[data-wrong=password]').textContent")
    is_marked = await tab.run("document.activeElement.getAttribute('aria-invalid')")
    await tab.fill(password=PASSWORD)
    await tab.submit()
    last = await tab.heading()
    await tab.open(desk.setup_link)
    again = await tab.heading()

    assert without_token == "Open the link of the server"
    assert first == "Make this server yours"
    assert address == f"{desk.server.url}/setup"
    assert (wrong, is_marked) == ("Must have at least 10 characters.", "true")
    assert last == "Your account is ready"
    assert again == "This server has been set up"
    assert await desk.can_log_in("ada@example.com", PASSWORD)


async def test_a_forgotten_password_is_set_anew(desk: Desk) -> None:
    tab, new = desk.tab, PASSWORD + " anew"
    await tab.open(f"{desk.server.url}/reset-password")
    await tab.heading()
    await tab.fill(email="ada@example.com")
    await tab.submit()
    asked = await tab.heading()
    link = await desk.link_in_mail("ada@example.com")
    await tab.open(link)
    await tab.heading()
    await tab.fill(password=new)
    await tab.submit()
    done = await tab.heading()
    await tab.open(link)
    await tab.heading()
    await tab.fill(password=new)
    await tab.submit()
    refusal = await tab.run("document.querySelector('#set .refusal').textContent")

    assert asked == "Look into your mail"
    assert done == "Your password is set"
    assert refusal == "This link is not valid any more. Ask for another one."
    assert await desk.can_log_in("ada@example.com", new)


async def test_an_invitation_is_accepted(desk: Desk) -> None:
    tab = desk.tab
    async with httpx.AsyncClient(
        base_url=desk.server.url, headers={"authorization": f"Bearer {desk.server.key}"}
    ) as client:
        await client.post("/api/v1/invitations", json={"email": "bob@example.com"})
    link = await desk.link_in_mail("bob@example.com")
    await tab.open(link)
    heading = await tab.heading()
    email = await tab.run("document.querySelector('[data-text=email]').textContent")
    await tab.fill(display_name="Bob", password=PASSWORD)
    await tab.submit()
    done = await tab.heading()
    await tab.open(link)
    again = await tab.heading()

    assert (heading, email) == ("Join “Engines”", "bob@example.com")
    assert done == "Welcome to “Engines”"
    assert again == "That did not work"
    assert await desk.can_log_in("bob@example.com", PASSWORD)


async def test_the_browser_complains_of_nothing_but_refusals(desk: Desk) -> None:
    unexpected = [text for text in desk.tab.complaints if "the server responded with" not in text]

    assert unexpected == []
