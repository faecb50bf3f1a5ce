from tests.e2e.api.world import World


async def test_metrics_count_requests_by_route() -> None:
    world = World(backlog=4)
    async with world.client() as client:
        await client.get(f"/api/v1/keys/{world.key.id}")
        await client.get("/nothing")
        answer = await client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    counted = 'stoa_http_requests_total{method="GET",route='
    assert f'{counted}"/api/v1/keys/{{key_id}}",status="200"}} 1.0' in lines
    assert f'{counted}"unmatched",status="404"}} 1.0' in lines
    assert "stoa_ledger_backlog 4.0" in lines
    assert 'stoa_build_info{python="' in answer.text
    assert 'version="1.2.3"} 1.0' in answer.text


async def test_open_metrics_are_given_to_those_who_prefer_them() -> None:
    async with World().client(None) as client:
        answer = await client.get("/metrics", headers={"accept": "application/openmetrics-text"})

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


async def test_a_token_closes_the_metrics_to_everybody_else() -> None:
    world = World(options={"metrics_token": "scrape-me-please"})
    statuses = []
    for token in (None, "wrong", "ünfit", "scrape-me-please"):
        async with world.client(None) as client:
            headers = {b"authorization": f"Bearer {token}".encode()} if token else {}
            statuses.append((await client.get("/metrics", headers=headers)).status_code)

    assert statuses == [401, 401, 401, 200]
