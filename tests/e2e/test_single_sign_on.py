"""Signing in with an identity provider, on a server as its users run it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.conftest import SCRIPTED
from tests.fakes.identity_provider import AUDIENCE, IdentityProvider
from tests.fixtures.patience import PATIENCE_S, until_told
from tests.fixtures.server import StoaServer

HELLO = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def sso_server(
    provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StoaServer]:
    server = StoaServer(
        data_dir=tmp_path_factory.mktemp("sso"),
        config=SCRIPTED,
        settings={
            "STOA_OIDC_ISSUER": provider.issuer,
            "STOA_OIDC_AUDIENCE": AUDIENCE,
            "STOA_OIDC_CREATE_USERS": "true",
        },
    )
    with server:
        yield server


@pytest.fixture
async def client(sso_server: StoaServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sso_server.url, timeout=20) as client:
        yield client


def bearer(provider: IdentityProvider, **claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {provider.token(datetime.now(UTC), **claims)}"}


async def test_a_newcomer_is_let_in_everywhere(
    client: httpx.AsyncClient, provider: IdentityProvider
) -> None:
    headers = bearer(provider, sub="grace", name="Grace")

    me = await client.get("/api/v1/me", headers=headers)
    answer = await client.post("/v1/chat/completions", json=HELLO, headers=headers)
    forbidden = await client.get("/api/v1/errors", headers=headers)

    assert me.status_code == 200
    assert me.json()["display_name"] == "Grace"
    assert answer.status_code == 200
    assert forbidden.status_code == 403


async def test_a_token_that_is_not_to_be_trusted_is_refused(
    client: httpx.AsyncClient, provider: IdentityProvider
) -> None:
    answers = [
        await client.get("/api/v1/me", headers=bearer(provider, **claims))
        for claims in ({"aud": "else"}, {"iss": "https://else.example.com"}, {"exp": 1})
    ]

    assert [answer.status_code for answer in answers] == [401] * 3
    assert {answer.json()["code"] for answer in answers} == {"CREDENTIALS_INVALID"}


async def test_who_is_deactivated_is_refused_at_once(
    client: httpx.AsyncClient, provider: IdentityProvider, sso_server: StoaServer
) -> None:
    owner = {"authorization": f"Bearer {sso_server.key}"}
    leaver = bearer(provider, sub="leaver", name="Leaver")
    user = (await client.get("/api/v1/me", headers=leaver)).json()

    changed = await client.patch(
        f"/api/v1/users/{user['id']}", json={"is_active": False}, headers=owner
    )
    async with asyncio.timeout(PATIENCE_S):
        while (await client.get("/api/v1/me", headers=leaver)).status_code == 200:
            await asyncio.sleep(0.02)

    assert changed.status_code == 200
    assert (await client.get("/api/v1/me", headers=leaver)).status_code == 401


async def test_settings_act_without_a_restart(
    client: httpx.AsyncClient, provider: IdentityProvider, sso_server: StoaServer
) -> None:
    owner = {"authorization": f"Bearer {sso_server.key}"}

    async def answer_to(sub: str) -> int:
        return (await client.get("/api/v1/me", headers=bearer(provider, sub=sub))).status_code

    async def a_stranger_hears(status: int) -> bool:
        return await answer_to(f"stranger {uuid4()}") == status

    known_before = await answer_to("settled")
    changed = await client.patch(
        "/api/v1/settings", json={"oidc_create_users": False}, headers=owner
    )
    await until_told(lambda: a_stranger_hears(403))
    known_after = await answer_to("settled")
    await client.delete("/api/v1/settings/oidc_create_users", headers=owner)
    await until_told(lambda: a_stranger_hears(200))

    assert changed.status_code == 200, changed.text
    assert (known_before, known_after) == (200, 200)


async def test_a_provider_that_is_away_is_no_fault_of_the_client(
    client: httpx.AsyncClient, provider: IdentityProvider, sso_server: StoaServer, tmp_path: Path
) -> None:
    known = bearer(provider, sub="grace")
    await client.get("/api/v1/me", headers=known)
    provider.broken = 500
    # One that has no keys yet, and asks for them.
    newcomer = StoaServer(data_dir=tmp_path, config=SCRIPTED, settings=sso_server.settings)
    await asyncio.to_thread(newcomer.start)

    async with httpx.AsyncClient(base_url=newcomer.url) as other:
        answer = await other.get("/api/v1/me", headers=known)

    await asyncio.to_thread(newcomer.stop)
    assert answer.status_code == 503
    assert 0 < int(answer.headers["retry-after"]) <= 10
    assert (await client.get("/api/v1/me", headers=known)).status_code == 200
