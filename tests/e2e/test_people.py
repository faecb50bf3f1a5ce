"""Two teams and their people on a running server, over HTTP and from its terminal."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.fixtures.server import StoaServer

API = "/api/v1"
PASSWORD = "a long walk to the porch"
SERVED = httpx.codes.OK


@dataclass(frozen=True, kw_only=True)
class Person:
    id: str
    email: str
    client: httpx.Client


@dataclass(frozen=True)
class Town:
    """``key`` is the client of the first key, which may do everything."""

    server: StoaServer
    key: httpx.Client
    clients: ExitStack

    def person(self, role: str = "member") -> Person:
        email = f"{uuid4().hex}@stoa.example"
        body = {"email": email, "display_name": role, "role": role, "password": PASSWORD}
        made = self.key.post("/users", json=body)
        assert made.status_code == httpx.codes.CREATED, made.text
        return Person(id=made.json()["id"], email=email, client=self.logged_in(email))

    def logged_in(self, email: str) -> httpx.Client:
        body = {"email": email, "password": PASSWORD}
        token = self.key.post("/auth/token", json=body).json()["access_token"]
        return self.client(token)

    def client(self, token: str) -> httpx.Client:
        headers = {"authorization": f"Bearer {token}"}
        return self.clients.enter_context(
            httpx.Client(base_url=self.server.url + API, headers=headers, timeout=30)
        )


@pytest.fixture(scope="module")
def town(server: StoaServer) -> Iterator[Town]:
    headers = {"authorization": f"Bearer {server.key}"}
    with (
        httpx.Client(base_url=server.url + API, headers=headers, timeout=30) as key,
        ExitStack() as clients,
    ):
        yield Town(server, key, clients)


@pytest.fixture(scope="module")
def stranger(town: Town) -> Person:
    """The owner of another team, and of no more."""
    owner = town.person("viewer")
    made = town.key.post("/teams", json={"name": f"Others {owner.id}", "owner_id": owner.id})
    assert made.status_code == httpx.codes.CREATED, made.text
    town.key.delete(f"/members/{owner.id}").raise_for_status()
    return Person(id=owner.id, email=owner.email, client=town.logged_in(owner.email))


def test_a_stranger_finds_nothing_of_the_team(town: Town, stranger: Person) -> None:
    member = town.person()
    team_id = town.key.get("/team").json()["id"]
    key_id = member.client.post("/keys", json={"name": member.id}).json()["id"]
    client = stranger.client

    answers = [
        client.get(f"/teams/{team_id}"),
        client.patch(f"/teams/{team_id}", json={"name": "Mine"}),
        client.get(f"/users/{member.id}"),
        client.patch(f"/users/{member.id}", json={"is_active": False}),
        client.post(f"/users/{member.id}/password_reset"),
        client.patch(f"/members/{member.id}", json={"role": "viewer"}),
        client.delete(f"/members/{member.id}"),
        client.get(f"/keys/{key_id}"),
        client.patch(f"/keys/{key_id}", json={"scopes": []}),
        client.delete(f"/keys/{key_id}"),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert [item["id"] for item in client.get("/users").json()["items"]] == [stranger.id]
    assert client.get("/keys").json()["total"] == 0
    assert client.get("/teams").json()["total"] == 1
    assert member.client.get("/keys").json()["items"][0]["status"] == "active"


def test_a_deactivated_user_is_out_at_once_and_in_again(town: Town) -> None:
    admin, member = town.person("admin"), town.person()
    key = member.client.post("/keys", json={"name": member.id}).json()
    served = member.client.get("/members")

    closed = admin.client.patch(f"/users/{member.id}", json={"is_active": False})
    refused = [member.client.get("/members"), town.client(key["key"]).get("/keys")]
    login = town.key.post("/auth/token", json={"email": member.email, "password": PASSWORD})
    admin.client.patch(f"/users/{member.id}", json={"is_active": True}).raise_for_status()
    still_refused = member.client.get("/members")
    again = town.logged_in(member.email).get("/members")

    assert (served.status_code, closed.status_code) == (SERVED, SERVED)
    assert [answer.status_code for answer in (*refused, login, still_refused)] == [401] * 4
    assert again.status_code == SERVED
    assert admin.client.get(f"/keys/{key['id']}").json()["status"] == "revoked"


def test_a_new_role_holds_from_the_next_request(town: Town) -> None:
    admin, member = town.person("admin"), town.person("admin")
    key = member.client.post("/keys", json={"name": member.id}).json()
    client = town.client(key["key"])
    before = [client.get("/audit_logs"), member.client.get("/audit_logs")]

    changed = admin.client.patch(f"/members/{member.id}", json={"role": "viewer"})
    after = [client.get("/audit_logs"), member.client.get("/audit_logs")]

    assert [answer.status_code for answer in before] == [SERVED] * 2
    assert changed.json()["role"] == "viewer"
    assert [answer.status_code for answer in after] == [403] * 2


def test_what_is_done_to_people_is_on_record(town: Town) -> None:
    admin, member = town.person("admin"), town.person()

    admin.client.patch(f"/members/{member.id}", json={"role": "editor"}).raise_for_status()
    admin.client.delete(f"/members/{member.id}").raise_for_status()

    records = town.key.get("/audit_logs", params={"user_id": admin.id}).json()["items"]
    of_members = [row for row in records if row["action"].startswith("member.")]
    assert [(row["action"], row["target_id"]) for row in of_members] == [
        ("member.removed", member.id),
        ("member.role_changed", member.id),
    ]


def test_of_owners_who_leave_at_once_one_stays(town: Town, stranger: Person) -> None:
    elsewhere = Town(town.server, stranger.client, town.clients)
    owners = [stranger, *(elsewhere.person("owner") for _ in range(5))]

    with ThreadPoolExecutor(len(owners)) as pool:
        left = list(pool.map(lambda owner: owner.client.delete(f"/members/{owner.id}"), owners))

    (stayed,) = (answer for answer in left if answer.status_code != httpx.codes.NO_CONTENT)
    assert (stayed.status_code, stayed.json()["code"]) == (409, "LAST_OWNER")


def run(town: Town, *arguments: str, piped: str = "") -> "subprocess.CompletedProcess[str]":
    return town.server.run(*arguments, piped=piped)


def printed(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_account_is_made_at_the_terminal_and_logs_in(town: Town) -> None:
    email = f"{uuid4().hex}@stoa.example"

    made = run(
        town,
        "users",
        "create",
        email,
        "--name",
        "Ada",
        "--role",
        "admin",
        "--password",
        "--json",
        piped=f"{PASSWORD}\n",
    )
    listed = printed(run(town, "users", "list", "--json"))["items"]

    user = printed(made)
    assert (user["email"], user["role"], user["password_reset"]) == (email, "admin", None)
    assert user["id"] in {item["id"] for item in listed}
    assert PASSWORD not in made.stdout + made.stderr
    assert town.logged_in(email).get("/me").json()["email"] == email


def test_an_account_without_a_password_gets_a_link(town: Town) -> None:
    email = f"{uuid4().hex}@stoa.example"

    made = run(town, "users", "create", email)
    again = run(town, "users", "create", email)
    token = made.stdout.split("#token=")[1].strip()
    confirmed = town.key.post(
        "/auth/password_reset/confirm", json={"token": token, "password": PASSWORD}
    )

    assert made.returncode == 0
    assert "/reset-password#token=" in made.stdout
    assert "shown only now" in made.stderr
    assert (again.returncode, again.stdout) == (5, "")
    assert again.stderr == "stoa: There is already a user with this e-mail address.\n"
    assert confirmed.is_success, confirmed.text
    assert town.logged_in(email).get("/me").status_code == SERVED


def test_an_account_is_closed_opened_and_given_a_password_at_the_terminal(town: Town) -> None:
    member = town.person()

    closed = printed(run(town, "users", "deactivate", member.email, "--json"))
    refused = member.client.get("/members")
    opened = printed(run(town, "users", "activate", member.id, "--json"))
    reset = run(
        town, "users", "reset-password", member.email, "--password", piped="new " + PASSWORD
    )
    old = town.key.post("/auth/token", json={"email": member.email, "password": PASSWORD})
    body = {"email": member.email, "password": "new " + PASSWORD}
    new = town.key.post("/auth/token", json=body)
    unknown = run(town, "users", "deactivate", "nobody@stoa.example")

    assert (closed["is_active"], opened["is_active"], refused.status_code) == (False, True, 401)
    assert reset.stdout == "The password is set, and all sessions of the user have ended.\n"
    assert (old.status_code, new.is_success) == (401, True)
    assert (unknown.returncode, unknown.stderr) == (3, "stoa: There is no such user.\n")


def test_teams_are_made_and_changed_at_the_terminal(town: Town) -> None:
    owner, name = town.person(), f"Team {uuid4().hex}"

    made = printed(run(town, "teams", "create", name, "--owner", owner.email, "--json"))
    changed = printed(
        run(town, "teams", "update", name, "--name", f"{name}!", "--capture", "--json")
    )
    listed = printed(run(town, "teams", "list", "--json"))["items"]
    members = printed(run(town, "members", "list", "--team", made["id"], "--json"))["items"]
    nothing = run(town, "teams", "update", f"{name}!")

    assert changed == made | {"name": f"{name}!", "capture_content": True}
    assert (made["id"], f"{name}!") in {(item["id"], item["name"]) for item in listed}
    assert [(item["user_id"], item["role"]) for item in members] == [(owner.id, "owner")]
    assert nothing.returncode == 2


def test_members_are_changed_and_taken_out_at_the_terminal(town: Town) -> None:
    member = town.person()

    changed = printed(run(town, "members", "set-role", member.email, "editor", "--json"))
    removed = run(town, "members", "remove", member.email)
    gone = run(town, "members", "set-role", member.id, "viewer")
    wrong = run(town, "members", "set-role", member.email, "king")

    assert changed["role"] == "editor"
    assert removed.stdout == f"{member.email} is no member of the team any more.\n"
    assert (gone.returncode, wrong.returncode) == (3, 2)
    assert member.client.get("/members").status_code == 401


def test_a_key_with_scopes_is_made_at_the_terminal(town: Town) -> None:
    key = printed(
        run(
            town,
            "keys",
            "create",
            uuid4().hex,
            "--scope",
            "audit.read",
            "--scope",
            "calls.read",
            "--json",
        )
    )
    client = town.client(key["key"])

    assert key["scopes"] == ["calls.read", "audit.read"]
    assert client.get("/audit_logs").status_code == SERVED
    assert client.get("/keys").status_code == 403


def test_what_a_user_and_a_key_may_do_is_changed_at_the_terminal(town: Town) -> None:
    owner, name = town.person(), uuid4().hex
    team = printed(run(town, "teams", "create", name, "--owner", owner.email, "--json"))
    key = printed(run(town, "keys", "create", name, "--team", name, "--json"))

    user = printed(
        run(
            town,
            "users",
            "update",
            owner.email,
            "--team",
            name,
            "--rpm",
            "5",
            "--name",
            "O",
            "--json",
        )
    )
    narrow = printed(
        run(town, "keys", "update", name, "--team", name, "--scope", "team.read", "--json")
    )
    rich = printed(run(town, "teams", "update", team["id"], "--budget", "5/month", "--json"))
    elsewhere = run(town, "keys", "revoke", name)
    nothing = run(town, "users", "update", owner.email)

    assert (user["display_name"], user["limits"]["rpm"]) == ("O", 5)
    assert (key["user_id"], narrow["scopes"]) == (owner.id, ["team.read"])
    assert rich["budget"] == {"amount": "5", "period": "month", "hard": True}
    assert (elsewhere.returncode, nothing.returncode) == (3, 2)
