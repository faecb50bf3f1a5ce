"""Coming to a server and back to one's account, with a real server and a real mail server."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import pytest

from tests.e2e.conftest import SCRIPTED
from tests.fixtures import mail_server as mail
from tests.fixtures.mail_server import Post, mail_server, make_certificates, text_of
from tests.fixtures.patience import PATIENCE_S, until
from tests.fixtures.server import StoaServer

OWNER, BOB, CAROL, DORA, EVE = (
    f"{name}@example.com" for name in ("ada", "bob", "carol", "dora", "eve")
)
PASSWORD = "canary correct horse"
SETUP_LINK = re.compile(r"/setup#token=(\S+)")


@dataclass
class House:
    """A server with an owner, who has the ``password``. ``answers`` are those to the ways in which
    it was claimed."""

    server: StoaServer
    post: Post
    client: httpx.AsyncClient
    setup_tokens: list[str]
    tokens: list[str] = field(default_factory=list)
    answers: dict[str, httpx.Response] = field(default_factory=dict)
    rivals: list[int] = field(default_factory=list)
    password: str = PASSWORD

    async def send(self, path: str, **body: str) -> httpx.Response:
        return await self.client.post(f"/api/v1{path}", json=body)

    async def manage(self, method: str, path: str, **body: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.server.key}"}
        return await self.client.request(
            method, f"/api/v1{path}", json=body or None, headers=headers
        )

    async def logged_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        answer = await self.send("/auth/login", email=email, password=password)
        # Each test says for itself who asks.
        self.client.cookies.clear()
        return answer

    async def bearer(self, email: str, password: str = PASSWORD) -> str:
        """An access token of the person."""
        answer = await self.send("/auth/token", email=email, password=password)
        token: str = answer.json()["access_token"]
        return token

    async def act(self, bearer: str, path: str, **body: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {bearer}"}
        return await self.client.post(f"/api/v1{path}", json=body, headers=headers)

    async def mailed_token(self, email: str, *, subject: str) -> str:
        """The token in the next mail to the address, which is then forgotten."""
        await until(lambda: any(email in str(m["To"]) for m in self.post.received))
        message = next(m for m in self.post.received if email in str(m["To"]))
        self.post.received.remove(message)
        assert subject in str(message["Subject"])
        token = text_of(message).partition("#token=")[2].split()[0]
        self.tokens.append(token)
        return token


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    certificates = make_certificates()
    folder = tmp_path_factory.mktemp("joining")
    certificates.authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    async with AsyncExitStack() as stack:
        post = await stack.enter_async_context(
            mail_server(starts_tls=certificates.server, needs_login=True)
        )
        login = f"{mail.USER}:{quote(mail.PASSWORD, safe='')}"
        server = StoaServer(
            data_dir=folder / "stoa",
            config=SCRIPTED,
            settings={
                "STOA_MAIL_URL": f"smtp://{login}@127.0.0.1:{post.port}",
                "STOA_MAIL_FROM": "Stoa <stoa@example.com>",
                "STOA_PUBLIC_URL": "https://stoa.example.com",
                "SSL_CERT_FILE": str(folder / "ca.pem"),
            },
        )
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        stack.push_async_callback(asyncio.to_thread, server.stop)
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=30))
        house = House(server, post, client, SETUP_LINK.findall(server.output))
        await claim(house)
        yield house


async def claim(house: House) -> None:
    fields = {"password": PASSWORD, "team_name": "Engines", "display_name": "Ada"}
    house.answers["before"] = await client_get(house, "/setup")
    house.answers["guessed"] = await house.send("/setup", token="guessed", email=EVE, **fields)
    # The link of the start before the last, by several at once.
    answers = await asyncio.gather(
        *(
            house.send("/setup", token=house.setup_tokens[0], email=email, **fields)
            for email in (OWNER, OWNER, OWNER)
        )
    )
    house.rivals = sorted(answer.status_code for answer in answers)
    house.answers["claimed"] = next(a for a in answers if a.is_success)
    house.answers["again"] = await house.send(
        "/setup", token=house.setup_tokens[1], email=EVE, **fields
    )
    house.answers["after"] = await client_get(house, "/setup")


async def client_get(house: House, path: str) -> httpx.Response:
    return await house.client.get(f"/api/v1{path}")


async def test_each_start_prints_one_setup_link_until_the_server_is_claimed(house: House) -> None:
    assert len(house.setup_tokens) == len(set(house.setup_tokens)) == 2
    assert "https://stoa.example.com/setup#token=" in house.server.output


async def test_a_fresh_server_is_claimed_once(house: House) -> None:
    answers = house.answers

    assert answers["before"].json() == {"needs_setup": True}
    assert answers["guessed"].status_code == 403
    assert answers["guessed"].json()["code"] == "SETUP_TOKEN_INVALID"
    assert house.rivals == [201, 409, 409]
    assert answers["again"].status_code == 409
    assert answers["again"].json()["code"] == "SETUP_DONE"
    assert answers["after"].json() == {"needs_setup": False}


async def test_whoever_claimed_it_owns_and_operates_it(house: House) -> None:
    claimed = house.answers["claimed"].json()

    answer = await house.logged_in(OWNER, house.password)

    assert claimed["email"] == OWNER
    assert claimed["team_name"] == "Engines"
    assert answer.is_success
    headers = {"cookie": answer.headers["set-cookie"].split(";")[0]}
    me = (await house.client.get("/api/v1/me", headers=headers)).json()
    assert me["email"] == OWNER
    assert me["is_operator"] is True
    assert (await house.manage("GET", "/team")).json()["name"] == "Engines"


async def test_a_forgotten_password_is_set_anew_by_mail(house: House) -> None:
    session = await house.logged_in(OWNER, house.password)
    headers = {"cookie": session.headers["set-cookie"].split(";")[0]}

    asked = await house.send("/auth/password_reset", email=OWNER)
    token = await house.mailed_token(OWNER, subject="new password")
    short = await house.send("/auth/password_reset/confirm", token=token, password="short")
    new = PASSWORD + " anew"
    done = await house.send("/auth/password_reset/confirm", token=token, password=new)
    again = await house.send("/auth/password_reset/confirm", token=token, password=new)
    house.password = new

    assert (asked.status_code, asked.content) == (202, b"")
    assert (short.status_code, short.json()["errors"][0]["field"]) == (400, "password")
    assert done.status_code == 204
    assert (again.status_code, again.json()["code"]) == (403, "RESET_TOKEN_INVALID")
    assert (await house.client.get("/api/v1/me", headers=headers)).status_code == 401
    assert (await house.logged_in(OWNER)).status_code == 401
    assert (await house.logged_in(OWNER, new)).is_success


async def test_an_unknown_address_is_answered_like_a_known_one(house: House) -> None:
    known = await house.send("/auth/password_reset", email=OWNER)
    await house.mailed_token(OWNER, subject="new password")
    unknown = await house.send("/auth/password_reset", email="nobody@example.com")
    await asyncio.sleep(0.2)

    assert (unknown.status_code, unknown.content) == (known.status_code, known.content)
    assert list(unknown.headers) == list(known.headers)
    assert house.post.received == []


async def test_an_invitation_makes_an_account_in_the_team(house: House) -> None:
    made = await house.manage("POST", "/invitations", email=BOB, role="admin")
    token = await house.mailed_token(BOB, subject="invited")
    seen = await house.send("/invitations/inspect", token=token)
    joined = await house.send(
        "/invitations/accept", token=token, password=PASSWORD, display_name="Bob"
    )
    again = await house.send("/invitations/accept", token=token, password=PASSWORD)

    assert (made.status_code, made.json()["status"], made.json()["link"]) == (201, "pending", None)
    assert seen.json()["team_name"] == "Engines"
    assert seen.json()["has_account"] is False
    assert joined.status_code == 201
    assert (joined.json()["email"], joined.json()["role"]) == (BOB, "admin")
    assert (again.status_code, again.json()["code"]) == (403, "INVITATION_INVALID")
    assert (await house.logged_in(BOB)).is_success
    listed = (await house.manage("GET", "/invitations")).json()["items"]
    assert (BOB, "accepted") in [(i["email"], i["status"]) for i in listed]


async def test_an_invitation_is_sent_again_and_taken_back(house: House) -> None:
    made = (await house.manage("POST", "/invitations", email=CAROL)).json()
    first = await house.mailed_token(CAROL, subject="invited")
    resent = await house.manage("POST", f"/invitations/{made['id']}/resend")
    second = await house.mailed_token(CAROL, subject="invited")
    of_first = await house.send("/invitations/inspect", token=first)
    of_second = await house.send("/invitations/inspect", token=second)
    revoked = await house.manage("DELETE", f"/invitations/{made['id']}")
    after = await house.send("/invitations/inspect", token=second)

    assert (resent.status_code, resent.json()["status"]) == (200, "pending")
    assert [of_first.status_code, of_second.status_code] == [403, 200]
    assert revoked.status_code == 204
    assert after.status_code == 403


async def test_who_has_a_session_joins_another_team_without_a_password(house: House) -> None:
    await house.manage("POST", "/invitations", email=DORA)
    token = await house.mailed_token(DORA, subject="invited")
    await house.send("/invitations/accept", token=token, password=PASSWORD)
    owner, dora = await house.bearer(OWNER, house.password), await house.bearer(DORA)
    second = (await house.act(owner, "/teams", name="Second")).json()
    switched = await house.act(owner, "/auth/team", team_id=second["id"])
    await house.act(owner, "/invitations", email=DORA, role="viewer")
    invited = await house.mailed_token(DORA, subject="invited")
    seen = await house.send("/invitations/inspect", token=invited)
    of_another = await house.act(owner, "/invitations/accept", token=invited)
    of_nobody = await house.send("/invitations/accept", token=invited)
    joined = await house.act(dora, "/invitations/accept", token=invited)

    assert switched.is_success
    assert (seen.json()["team_name"], seen.json()["has_account"]) == ("Second", True)
    assert {of_another.json()["code"], of_nobody.json()["code"]} == {"INVITATION_FOR_ANOTHER"}
    assert joined.status_code == 201
    assert (joined.json()["team_id"], joined.json()["role"]) == (second["id"], "viewer")


async def test_a_member_is_not_invited_again(house: House) -> None:
    made = await house.manage("POST", "/invitations", email=OWNER)
    assert (made.status_code, made.json()["code"]) == (409, "ALREADY_MEMBER")


async def test_registration_is_closed_until_a_setting_opens_it(house: House) -> None:
    closed = await house.send("/auth/register", email=EVE)
    await house.manage("PATCH", "/settings", registration_policy="open")
    opened = await house.send("/auth/register", email=EVE)
    async with asyncio.timeout(PATIENCE_S):
        # A change is seen within a second.
        while opened.status_code != httpx.codes.ACCEPTED:
            opened = await house.send("/auth/register", email=EVE)
    token = await house.mailed_token(EVE, subject="Join")
    joined = await house.send("/invitations/accept", token=token, password=PASSWORD)
    again = await house.send("/auth/register", email=EVE)
    await until(lambda: bool(house.post.received))
    message = house.post.received.pop()

    assert (closed.status_code, closed.json()["code"]) == (403, "REGISTRATION_CLOSED")
    assert (opened.status_code, again.status_code) == (202, 202)
    assert joined.json()["role"] == "member"
    assert "have a Stoa account" in str(message["Subject"])


async def test_a_mail_that_cannot_be_sent_is_an_error_in_the_log(house: House) -> None:
    house.post.answers["RCPT"] = "550 5.1.1 <{address}> unknown"
    answer = await house.send("/auth/password_reset", email=OWNER)
    await until(lambda: "errand.failed" in house.server.output)
    del house.post.answers["RCPT"]

    assert answer.status_code == 202
    line = next(line for line in house.server.output.splitlines() if "errand.failed" in line)
    assert "MAIL_FAILED" in line
    assert "a…@example.com" in line
    assert OWNER not in line


async def test_a_mail_that_cannot_be_sent_is_among_the_technical_errors(house: House) -> None:
    house.post.answers["DATA"] = "552 full"
    await house.send("/auth/password_reset", email=OWNER)
    async with asyncio.timeout(PATIENCE_S):
        found: list[str] = []
        while not any("552 full" in message for message in found):
            await asyncio.sleep(0.1)
            found = [e["message"] for e in (await house.manage("GET", "/errors")).json()["items"]]
    del house.post.answers["DATA"]

    assert all(OWNER not in message for message in found)


@pytest.mark.parametrize(
    "path",
    ["/setup", "/auth/password_reset", "/auth/register", "/invitations/accept"],
)
async def test_another_site_cannot_make_a_browser_do_it(house: House, path: str) -> None:
    headers = {"sec-fetch-site": "cross-site"}

    answer = await house.client.post(f"/api/v1{path}", json={}, headers=headers)

    assert answer.status_code == 403


async def test_no_token_and_no_password_is_in_the_log(house: House) -> None:
    log = "\n".join(
        line for line in house.server.output.splitlines() if not SETUP_LINK.search(line)
    )

    assert house.tokens
    for secret in (*house.tokens, *house.setup_tokens, PASSWORD, mail.PASSWORD):
        assert secret not in log


async def test_what_happened_is_on_record(house: House) -> None:
    items = (await house.manage("GET", "/audit_logs?limit=200")).json()["items"]

    actions = {item["action"] for item in items}
    assert {
        "setup.claimed",
        "user.password_reset",
        "user.created",
        "invitation.created",
        "invitation.renewed",
        "invitation.revoked",
        "invitation.accepted",
    } <= actions


async def test_a_claimed_server_prints_no_link(house: House) -> None:
    await asyncio.to_thread(house.server.stop)
    await asyncio.to_thread(house.server.start)

    assert len(SETUP_LINK.findall(house.server.output)) == 2
