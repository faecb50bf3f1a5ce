"""People who log in, on two servers with one external database; the second is in production and
behind a proxy."""

import time
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.patience import PATIENCE_S, wait_until
from tests.fixtures.people import (
    SAME_ORIGIN,
    Person,
    a_person,
    by_bearer,
    by_cookie,
    cookie_of,
    tokens_of,
)
from tests.fixtures.server import StoaServer

Nodes = tuple[StoaServer, StoaServer]

ME = "/api/v1/me"
CHAT = "/v1/chat/completions"
HELLO = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}
CONFIG = """
providers:
  - {name: script, type: scripted}
models:
  - {name: echo, provider: script}
"""


@pytest.fixture(scope="module")
async def nodes(
    postgres_under_test: PostgresUnderTest,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Nodes]:
    database = f"{postgres_under_test.prefix}_people_{uuid4().hex[:8]}"
    shared = {
        "STOA_DATABASE_URL": await postgres_under_test.create(database, template=migrated_template),
        "STOA_SECRET_KEY": "9f2b6c0a4d8e1f3a5b7c9d0e2f4a6b8c",
    }
    production = {"STOA_ENVIRONMENT": "production", "STOA_TRUSTED_PROXIES": "127.0.0.0/8,::1"}
    folder = tmp_path_factory.mktemp("people")
    config = folder / "stoa.yaml"
    config.write_text(CONFIG)
    talkative = {"STOA_LOG_LEVEL": "debug"}
    one = StoaServer(data_dir=folder / "one", config=config, settings=shared | talkative)
    two = StoaServer(data_dir=folder / "two", config=config, settings=shared | production)
    with one, two:
        two.key = one.key
        yield one, two
    await postgres_under_test.drop(database)


@pytest.fixture
def person(nodes: Nodes) -> Person:
    return a_person(nodes[0])


def me(client: httpx.Client) -> int:
    return client.get(ME).status_code


def test_a_browser_gets_a_cookie_that_nothing_else_can_read(nodes: Nodes, person: Person) -> None:
    cookies = [
        httpx.post(
            f"{node.url}/api/v1/auth/login", json=person.credentials | {"remember_me": remember_me}
        ).headers["set-cookie"]
        for node, remember_me in zip(nodes, (False, True), strict=True)
    ]

    for cookie, age in zip(cookies, (86_400, 604_800), strict=True):
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=strict", f"max-age={age}"} <= attributes
    assert ["secure" in cookie.lower() for cookie in cookies] == [False, True]


def test_a_cookie_opens_both_apis_on_every_node(nodes: Nodes, person: Person) -> None:
    cookie = cookie_of(nodes[0], person)

    for node in nodes:
        with by_cookie(node, cookie) as browser:
            assert browser.get(ME).json()["email"] == person.email
            assert browser.get("/v1/models").status_code == httpx.codes.OK
            assert browser.post(CHAT, json=HELLO).status_code == httpx.codes.OK


def test_an_access_token_opens_both_apis_on_every_node(nodes: Nodes, person: Person) -> None:
    tokens = tokens_of(nodes[0], person)

    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 900
    for node in nodes:
        with by_bearer(node, tokens["access_token"]) as program:
            assert program.get(ME).json()["email"] == person.email
            assert program.post(CHAT, json=HELLO).status_code == httpx.codes.OK


def test_no_secret_is_good_for_anything_else(nodes: Nodes, person: Person) -> None:
    one, _ = nodes
    tokens, cookie = tokens_of(one, person), cookie_of(one, person)

    for bearer in (tokens["refresh_token"], cookie):
        with by_bearer(one, bearer) as client:
            answers = [client.get(ME), client.post(CHAT, json=HELLO)]
        assert [answer.status_code for answer in answers] == [401, 401]
    for secret in (tokens["access_token"], tokens["refresh_token"], one.key):
        with by_cookie(one, secret) as client:
            answer = client.get(ME)
        assert (answer.status_code, answer.json()["code"]) == (401, "SESSION_ENDED")


def test_whoever_logs_out_is_out_at_once_on_every_node(nodes: Nodes, person: Person) -> None:
    one, two = nodes
    cookie = cookie_of(one, person)
    with by_cookie(one, cookie) as here, by_cookie(two, cookie) as there:
        before = [me(here), me(there)]

        answer = here.post("/api/v1/auth/logout")

        assert me(here) == httpx.codes.UNAUTHORIZED
        wait_until(lambda: me(there) == httpx.codes.UNAUTHORIZED)
    assert before == [200, 200]
    assert answer.status_code == httpx.codes.NO_CONTENT
    assert 'stoa_session=""' in answer.headers["set-cookie"] or (
        "stoa_session=;" in answer.headers["set-cookie"]
    )
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_a_refresh_token_that_is_used_twice_ends_the_session(nodes: Nodes, person: Person) -> None:
    one, two = nodes
    first = tokens_of(one, person)

    def refresh(tokens: dict[str, str], node: StoaServer) -> httpx.Response:
        body = {"refresh_token": tokens["refresh_token"]}
        return httpx.post(f"{node.url}/api/v1/auth/refresh", json=body)

    second = refresh(first, two).json()
    with by_bearer(one, second["access_token"]) as client:
        before = me(client)
        stolen = refresh(first, one)
        after = refresh(second, two)
        wait_until(lambda: me(client) == httpx.codes.UNAUTHORIZED)

    assert second["refresh_token"] != first["refresh_token"]
    assert before == httpx.codes.OK
    assert [answer.status_code for answer in (stolen, after)] == [401, 401]
    assert stolen.json()["code"] == "REFRESH_TOKEN_INVALID"


def test_people_see_their_sessions_and_end_them(nodes: Nodes, person: Person) -> None:
    one, two = nodes
    cookies = [cookie_of(one, person) for _ in range(3)]
    with by_cookie(one, cookies[0]) as own, by_cookie(two, cookies[1]) as other:
        listed = own.get("/api/v1/auth/sessions").json()
        current = [session["is_current"] for session in listed["items"]]
        ending = listed["items"][1]["id"]

        ended = own.delete(f"/api/v1/auth/sessions/{ending}")
        again = own.delete(f"/api/v1/auth/sessions/{ending}").json()
        wait_until(lambda: me(other) == httpx.codes.UNAUTHORIZED)
        others = own.delete("/api/v1/auth/sessions", params={"keep_current": "true"})
        left = own.get("/api/v1/auth/sessions").json()["items"]
        everything = own.delete("/api/v1/auth/sessions")

        assert me(own) == httpx.codes.UNAUTHORIZED
    assert current == [False, False, True]
    assert (ended.status_code, again["code"]) == (204, "SESSION_NOT_FOUND")
    assert not {"set-cookie"} & {*ended.headers, *others.headers}
    assert "Max-Age=0" in everything.headers["set-cookie"]
    assert [session["is_current"] for session in left] == [True]


def test_another_password_ends_all_other_sessions(nodes: Nodes, person: Person) -> None:
    one, two = nodes
    own, other, tokens = cookie_of(one, person), cookie_of(one, person), tokens_of(one, person)
    new = "quite another password"
    with (
        by_cookie(one, own) as here,
        by_cookie(two, other) as there,
        by_bearer(two, tokens["access_token"]) as program,
    ):
        wrong = here.post(
            "/api/v1/auth/password",
            json={"current_password": "wrong password", "new_password": new},
        )
        common = here.post(
            "/api/v1/auth/password",
            json={"current_password": person.password, "new_password": "1234567890"},
        )
        assert [me(client) for client in (here, there, program)] == [200, 200, 200]

        changed = here.post(
            "/api/v1/auth/password",
            json={"current_password": person.password, "new_password": new},
        )

        wait_until(lambda: me(there) == httpx.codes.UNAUTHORIZED)
        wait_until(lambda: me(program) == httpx.codes.UNAUTHORIZED)
        assert me(here) == httpx.codes.OK
    assert (wrong.status_code, wrong.json()["code"]) == (403, "WRONG_PASSWORD")
    assert common.json()["errors"][0] | {"message": ""} == {
        "field": "new_password",
        "message": "",
        "code": "too_common",
    }
    assert changed.status_code == httpx.codes.NO_CONTENT
    logins = [
        httpx.post(f"{one.url}/api/v1/auth/login", json=person.credentials | {"password": password})
        for password in (person.password, new)
    ]
    assert [answer.status_code for answer in logins] == [401, 200]


def test_another_role_and_a_closed_account_are_obeyed_at_once(nodes: Nodes, person: Person) -> None:
    one, two = nodes
    cookie = cookie_of(two, person)
    with by_cookie(two, cookie) as there, by_bearer(one, one.key) as owner:
        before = there.get(ME).json()["permissions"]

        owner.patch(f"/api/v1/members/{person.id}", json={"role": "viewer"}).raise_for_status()
        wait_until(lambda: there.post(CHAT, json=HELLO).status_code == httpx.codes.FORBIDDEN)
        after = there.get(ME).json()["permissions"]
        owner.patch(f"/api/v1/users/{person.id}", json={"is_active": False}).raise_for_status()
        wait_until(lambda: me(there) == httpx.codes.UNAUTHORIZED)

    assert ("models.invoke" in before, "models.invoke" in after) == (True, False)
    login = httpx.post(f"{one.url}/api/v1/auth/login", json=person.credentials)
    assert login.status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize(
    ("headers", "is_allowed"),
    [
        ({"x-none": ""}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, True),
        (SAME_ORIGIN, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "OWN"}, True),
        ({"origin": "OWN", "sec-fetch-site": "cross-site"}, False),
    ],
    ids=str,
)
def test_other_sites_change_nothing_with_a_cookie(
    nodes: Nodes, headers: dict[str, str], *, is_allowed: bool
) -> None:
    one, _ = nodes
    cookie = cookie_of(one, a_person(one))
    sent = {name: value.replace("OWN", one.url) for name, value in headers.items()}

    with by_cookie(one, cookie, **sent) as browser:
        read = browser.get(ME)
        changed = browser.patch(ME, json={"display_name": "Changed"})
        called = browser.post(CHAT, json=HELLO)

    assert read.status_code == httpx.codes.OK
    assert [changed.status_code, called.status_code] == ([200] * 2 if is_allowed else [403] * 2)
    if not is_allowed:
        assert changed.json()["code"] == "CROSS_SITE_REQUEST"
        assert called.json()["error"]["code"] == "cross_site_request"


def test_no_other_site_logs_a_browser_in(nodes: Nodes, person: Person) -> None:
    answer = httpx.post(
        f"{nodes[0].url}/api/v1/auth/login",
        json=person.credentials,
        headers={"origin": "https://evil.example"},
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "CROSS_SITE_REQUEST")


def test_a_refusal_does_not_tell_who_has_an_account(nodes: Nodes, person: Person) -> None:
    one, _ = nodes
    closed = a_person(one)
    with by_bearer(one, one.key) as owner:
        owner.patch(f"/api/v1/users/{closed.id}", json={"is_active": False}).raise_for_status()
    attempts = (
        person.credentials | {"password": "wrong password"},
        {"email": "nobody@example.com", "password": "wrong password"},
        {"email": "no address", "password": "wrong password"},
        closed.credentials,
    )

    answers = [httpx.post(f"{one.url}/api/v1/auth/login", json=attempt) for attempt in attempts]

    own = ("instance", "correlation_id")
    bodies = [
        {name: value for name, value in answer.json().items() if name not in own}
        for answer in answers
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert bodies == [bodies[0]] * len(attempts)
    assert bodies[0]["code"] == "LOGIN_FAILED"


def test_an_account_is_tried_so_often_on_all_nodes_together(nodes: Nodes, person: Person) -> None:
    wrong = person.credentials | {"password": "wrong password"}
    for number in range(10):
        assert httpx.post(f"{nodes[number % 2].url}/api/v1/auth/login", json=wrong).is_error

    answers = [
        httpx.post(f"{node.url}/api/v1/auth/login", json=person.credentials) for node in nodes
    ]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(429, "TOO_MANY_ATTEMPTS")] * 2
    assert all(0 < int(answer.headers["retry-after"]) <= 30 for answer in answers)


def test_only_a_trusted_proxy_says_where_a_request_comes_from(nodes: Nodes, person: Person) -> None:
    headers = {"x-forwarded-for": "203.0.113.9, 198.51.100.7", "user-agent": "x" * 1000}
    for node in nodes:
        httpx.post(f"{node.url}/api/v1/auth/login", json=person.credentials, headers=headers)

    with by_cookie(nodes[0], cookie_of(nodes[0], person)) as browser:
        sessions = browser.get("/api/v1/auth/sessions").json()["items"][1:]

    assert [session["address"] for session in sessions] == ["198.51.100.7", "127.0.0.1"]
    assert [len(session["user_agent"]) for session in sessions] == [300, 300]


def test_people_change_how_they_are_shown(nodes: Nodes, person: Person) -> None:
    one, _ = nodes
    with by_cookie(one, cookie_of(one, person)) as browser:
        changed = browser.patch(ME, json={"display_name": "Ada", "avatar_colour": "#AABBCC"})
        wrong = browser.patch(ME, json={"locale": "no language"})
        shown = browser.get(ME).json()
    with by_bearer(one, one.key) as key:
        refused = key.get(ME)

    assert changed.json() == shown
    assert (shown["display_name"], shown["avatar_colour"]) == ("Ada", "#aabbcc")
    assert (shown["role"], [team["id"] for team in shown["teams"]]) == (
        "member",
        [shown["team_id"]],
    )
    assert wrong.json()["errors"][0]["field"] == "locale"
    assert (refused.status_code, refused.json()["code"]) == (403, "PERSON_REQUIRED")


def test_a_session_moves_only_to_a_team_of_its_user(nodes: Nodes, person: Person) -> None:
    one, _ = nodes
    with by_cookie(one, cookie_of(one, person)) as browser:
        own = browser.get(ME).json()["team_id"]

        stays = browser.post("/api/v1/auth/team", json={"team_id": own})
        unknown = browser.post("/api/v1/auth/team", json={"team_id": str(uuid4())})

    assert (stays.status_code, stays.json()["team_id"]) == (200, own)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "TEAM_NOT_FOUND")


def test_what_happens_to_sessions_is_on_record(nodes: Nodes, person: Person) -> None:
    one, _ = nodes
    wrong = person.credentials | {"password": "wrong password"}
    httpx.post(f"{one.url}/api/v1/auth/login", json=wrong)
    with by_cookie(one, cookie_of(one, person)) as browser:
        browser.patch(ME, json={"display_name": "Ada"}).raise_for_status()
        browser.post("/api/v1/auth/logout").raise_for_status()

    with by_bearer(one, one.key) as owner:
        deadline = time.monotonic() + PATIENCE_S
        actions: set[str] = set()
        while "user.login_failed" not in actions:
            assert time.monotonic() < deadline
            entries = owner.get("/api/v1/audit_logs", params={"limit": 50}).json()["items"]
            concerned = [e for e in entries if person.id in (e["user_id"], e["target_id"])]
            actions = {entry["action"] for entry in concerned}
            time.sleep(0.2)

    assert {"session.created", "user.updated", "session.revoked"} <= actions
    assert all(entry["address"] == "127.0.0.1" for entry in concerned)


def test_no_secret_is_written_down(nodes: Nodes, person: Person) -> None:
    one, _ = nodes
    wrong, new = "a wrong password", "a new password of hers"
    httpx.post(f"{one.url}/api/v1/auth/login", json=person.credentials | {"password": wrong})
    cookie, tokens = cookie_of(one, person), tokens_of(one, person)
    for _ in range(2):
        refresh = {"refresh_token": tokens["refresh_token"]}
        httpx.post(f"{one.url}/api/v1/auth/refresh", json=refresh)
    with by_cookie(one, cookie) as browser:
        for current in (wrong, person.password):
            passwords = {"current_password": current, "new_password": new}
            browser.post("/api/v1/auth/password", json=passwords)

    secrets = (
        *(person.password, wrong, new, cookie),
        *(tokens["access_token"], tokens["refresh_token"]),
    )

    assert "use_case=ChangePassword" in one.output
    assert [secret for secret in secrets if secret in one.output] == []
