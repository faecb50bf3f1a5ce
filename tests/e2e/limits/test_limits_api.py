import asyncio

import httpx

from tests.fixtures.limited_keys import HELLO, a_key, bearer, client_of
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer


async def test_callers_see_what_remains_of_their_limits(limits_server: StoaServer) -> None:
    key = await a_key(limits_server, rpm=2, concurrency=3)
    async with client_of(limits_server, key) as client:
        await client.chat.completions.create(model="echo", messages=HELLO)

    async with httpx.AsyncClient(base_url=limits_server.url, headers=bearer(key)) as http:
        shown = (await http.get("/api/v1/limits")).raise_for_status().json()
        again = (await http.get("/api/v1/limits")).json()

    [limited] = shown["items"]
    assert limited["subject"] == "key"
    assert limited["limits"] == {"rpm": 2, "tpm": None, "concurrency": 3}
    assert (shown["requests"]["limit"], shown["requests"]["remaining"]) == (2, 1)
    assert 0 < shown["requests"]["reset_seconds"] <= 30
    assert shown["tokens"] is None
    assert again["requests"]["remaining"] == 1


async def test_who_has_no_limits_sees_none(limits_server: StoaServer) -> None:
    async with httpx.AsyncClient(
        base_url=limits_server.url, headers=bearer(limits_server.key)
    ) as http:
        shown = (await http.get("/api/v1/limits")).json()

    assert shown == {"items": [], "requests": None, "tokens": None}


async def test_changed_limits_act_on_the_next_calls(limits_server: StoaServer) -> None:
    async with httpx.AsyncClient(
        base_url=limits_server.url, headers=bearer(limits_server.key)
    ) as http:
        made = (await http.post("/api/v1/keys", json={"name": "changing"})).json()
        async with client_of(limits_server, made["key"]) as client:
            free = await client.chat.completions.with_raw_response.create(
                model="echo", messages=HELLO
            )
            await http.patch(f"/api/v1/keys/{made['id']}", json={"limits": {"rpm": 7}})
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    limited = await client.chat.completions.with_raw_response.create(
                        model="echo", messages=HELLO
                    )
                    if "x-ratelimit-limit-requests" in limited.headers:
                        break
                    await asyncio.sleep(0.05)

    assert "x-ratelimit-limit-requests" not in free.headers
    assert limited.headers["x-ratelimit-limit-requests"] == "7"
