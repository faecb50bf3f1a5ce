"""Credentials are looked at once more when a body has come: its sender may take its time."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from adapters.http.data_plane.door import SLOW_BODY_S
from tests.fixtures.people import a_person, by_bearer, cookie_of
from tests.fixtures.server import StoaServer

CHAT = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}


class SlowRequest:
    """Its head and the first byte of its body are sent; ``end`` sends the rest."""

    def __init__(self, connection: socket.socket, rest: bytes) -> None:
        self._connection = connection
        self._rest = rest

    def end(self) -> int:
        """The status of the answer."""
        self._connection.sendall(self._rest)
        answer = self._connection.makefile("rb").readline()
        return int(answer.split()[1])


@contextmanager
def begun(server: StoaServer, path: str, body: object, **credentials: str) -> Iterator[SlowRequest]:
    content = json.dumps(body).encode()
    headers = {
        "host": f"127.0.0.1:{server.port}",
        "content-type": "application/json",
        "content-length": str(len(content)),
        "sec-fetch-site": "same-origin",
        **credentials,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + content[:1])
        # It is behind this one that the server looks at the credentials.
        httpx.get(f"{server.url}/healthz").raise_for_status()
        yield SlowRequest(connection, content[1:])


def test_whoever_was_demoted_meanwhile_makes_no_key_with_what_he_was(server: StoaServer) -> None:
    admin = a_person(server, "admin")
    cookie = f"stoa_session={cookie_of(server, admin)}"

    with (
        begun(server, "/api/v1/keys", {"name": "slow"}, cookie=cookie) as request,
        by_bearer(server, server.key) as owner,
    ):
        owner.patch(f"/api/v1/members/{admin.id}", json={"role": "viewer"}).raise_for_status()
        status = request.end()

    assert status == httpx.codes.FORBIDDEN


def test_whoever_was_removed_meanwhile_is_nobody(server: StoaServer) -> None:
    admin = a_person(server, "admin")
    cookie = f"stoa_session={cookie_of(server, admin)}"
    body = {"email": "back@example.com", "display_name": "Back", "role": "admin"}

    with (
        begun(server, "/api/v1/users", body, cookie=cookie) as request,
        by_bearer(server, server.key) as owner,
    ):
        owner.delete(f"/api/v1/members/{admin.id}").raise_for_status()
        status = request.end()

    assert status == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/chat/completions", CHAT), ("/api/v1/keys", {"name": "another"})]
)
def test_a_key_that_was_revoked_meanwhile_opens_nothing(
    server: StoaServer, path: str, body: object
) -> None:
    with by_bearer(server, server.key) as owner:
        key = owner.post("/api/v1/keys", json={"name": f"slow for {path}"}).json()
        with begun(server, path, body, authorization=f"Bearer {key['key']}") as request:
            owner.delete(f"/api/v1/keys/{key['id']}").raise_for_status()
            time.sleep(2 * SLOW_BODY_S)
            status = request.end()

    assert status == httpx.codes.UNAUTHORIZED
