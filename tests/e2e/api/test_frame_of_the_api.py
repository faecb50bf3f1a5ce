from tests.e2e.api.world import World

ORIGIN = "https://app.example.test"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization, x-stainless-lang",
}


async def test_every_answer_has_ids_and_security_headers() -> None:
    async with World(options={"hsts": True}).client() as client:
        answers = [
            await client.get(path, headers={"x-correlation-id": "c-7"})
            for path in ("/healthz", "/api/v1/team", "/nothing", "/v1/nothing", "/metrics")
        ]

    for answer in answers:
        assert answer.headers["x-request-id"]
        assert answer.headers["x-correlation-id"] == "c-7"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "strict-transport-security" in answer.headers


async def test_no_origin_may_call_unless_it_is_listed() -> None:
    async with World().client() as client:
        answer = await client.get("/api/v1/team", headers={"origin": ORIGIN})

    assert "access-control-allow-origin" not in answer.headers


async def test_a_listed_origin_may_call_and_read_the_ids() -> None:
    world = World(options={"cors_origins": (ORIGIN,)})
    async with world.client() as client:
        preflight = await client.options("/v1/chat/completions", headers=PREFLIGHT)
        answer = await client.get("/api/v1/team", headers={"origin": ORIGIN})
        refused = await client.get("/nothing", headers={"origin": ORIGIN})
        other = await client.get("/api/v1/team", headers={"origin": "https://evil.example.test"})

    assert preflight.status_code in {200, 204}
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "x-stainless-lang" in preflight.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    assert other.headers.get("access-control-allow-origin") != "https://evil.example.test"
