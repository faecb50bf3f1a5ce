import re

from adapters.http.catalogue import error_catalogue
from tests.e2e.api.world import World


async def test_every_code_has_a_page_that_the_type_of_its_problem_leads_to() -> None:
    async with World().client(None) as client:
        for code in error_catalogue():
            answer = await client.get(f"/problems/{code.lower().replace('_', '-')}")
            assert answer.status_code == 200
            assert f"<h1>{code}</h1>" in answer.text


async def test_the_list_links_to_every_page() -> None:
    async with World().client(None) as client:
        answer = await client.get("/problems")

    assert answer.headers["content-type"].startswith("text/html")
    assert len(re.findall('href="/problems/', answer.text)) == len(error_catalogue())


async def test_programs_get_json() -> None:
    headers = {"accept": "application/json"}
    async with World().client(None) as client:
        one = await client.get("/problems/model-not-found", headers=headers)
        every = await client.get("/problems", headers=headers)

    assert one.json() == {
        "type": "/problems/model-not-found",
        "code": "MODEL_NOT_FOUND",
        "title": "Not found",
        "status": 404,
        "kind": "FUNCTIONAL",
        "description": "No model of that name is served to this team.",
        "openai_type": "invalid_request_error",
    }
    assert one.json() in every.json()["items"]


async def test_a_page_runs_nothing_and_its_style_is_allowed() -> None:
    async with World().client(None) as client:
        answer = await client.get("/problems/conflict")

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "style-src 'sha256-" in policy
    assert "<script" not in answer.text


async def test_an_unknown_code_is_not_found() -> None:
    async with World().client(None) as client:
        answer = await client.get("/problems/nothing")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
