import re
from typing import Any

import pytest
from msgspec import Struct

from adapters.http.openapi_operations import ExtraOperation, path_parameter
from tests.e2e.api.world import World

ASSET = re.compile(r'(?:src|href)="([^"]+)"')


class Question(Struct):
    model: str
    text: str


OPERATIONS = (
    ExtraOperation(
        method="post",
        path="/v1/answers",
        operation_id="create_answer",
        summary="Answer",
        request=Question,
        response={"type": "object", "required": ["answer"]},
        events={"type": "object"},
        errors=(400, 429, 502),
    ),
    ExtraOperation(
        method="get",
        path="/v1/answers/{name}",
        operation_id="get_answer",
        summary="Show an answer",
        tag="models",
        parameters=(path_parameter("name", "Its name."),),
        secured=False,
    ),
)


async def document(world: World | None = None) -> dict[str, Any]:
    async with (world or World(operations=OPERATIONS)).client(None) as client:
        answer = await client.get("/api/v1/openapi.json")
    found: dict[str, Any] = answer.json()
    return found


def operations(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for item in found["paths"].values() for operation in item.values()]


async def test_the_document_is_openapi_3_1() -> None:
    found = await document()

    assert found["openapi"].startswith("3.1")
    assert found["info"]["version"] == "1.2.3"
    assert found["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


async def test_every_operation_has_an_id_a_tag_a_summary_and_its_errors() -> None:
    found = await document()

    for operation in operations(found):
        assert re.fullmatch(r"[a-z_]+", operation["operationId"])
        assert operation["tags"]
        assert operation["summary"]
    ids = [operation["operationId"] for operation in operations(found)]
    assert len(set(ids)) == len(ids)


async def test_the_bounds_of_pages_are_told() -> None:
    paths = (await document())["paths"]

    found = {
        parameter["name"]: (parameter["schema"].get("minimum"), parameter["schema"].get("maximum"))
        for path in ("/api/v1/keys", "/api/v1/calls")
        for parameter in paths[path]["get"]["parameters"]
    }
    assert found["page"] == (1, 1_000_000)
    assert found["page_size"] == (1, 100)
    assert found["limit"] == (1, 200)


async def test_what_is_read_has_no_other_members() -> None:
    schemas = (await document())["components"]["schemas"]

    found = {
        name for name, schema in schemas.items() if schema.get("additionalProperties") is False
    }
    assert {"IssueKeyBody", "BudgetBody", "CreateRouteBody", "RetryPart"} <= found
    assert not {"KeyView", "Problem", "ChatRequest"} & found


async def test_what_is_filtered_by_an_id_says_so() -> None:
    parameters = (await document())["paths"]["/api/v1/calls"]["get"]["parameters"]

    (key_id,) = (one for one in parameters if one["name"] == "key_id")
    assert key_id["schema"]["format"] == "uuid"


async def test_every_reference_leads_somewhere() -> None:
    found = await document()

    for reference in set(re.findall(r"'\$ref': '#/([^']+)'", str(found))):
        place: Any = found
        for step in reference.split("/"):
            place = place[step]


async def test_errors_are_problems_in_our_own_api() -> None:
    responses = (await document())["paths"]["/api/v1/keys"]["post"]["responses"]

    assert list(responses) == ["201", "400", "401", "403", "409", "413", "415", "429", "500", "503"]
    assert responses["400"] == {"$ref": "#/components/responses/Problem400"}


async def test_operations_of_plain_handlers_stand_in_the_document() -> None:
    found = await document()

    create = found["paths"]["/v1/answers"]["post"]
    assert create["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Question"
    }
    assert set(create["responses"]["200"]["content"]) == {
        "application/json",
        "text/event-stream",
    }
    assert create["responses"]["429"] == {"$ref": "#/components/responses/OpenAIError429"}
    assert create["security"] == [{"bearer": []}, {"session": []}]
    show = found["paths"]["/v1/answers/{name}"]["get"]
    assert show["parameters"][0]["name"] == "name"
    assert "security" not in show


@pytest.mark.parametrize("page", ["/api/v1/docs", "/api/v1/redoc"])
async def test_the_pages_run_local_files_alone(page: str) -> None:
    async with World().client(None) as client:
        answer = await client.get(page)
        assets = [await client.get(path) for path in ASSET.findall(answer.text)]

    assert answer.status_code == 200
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert "<script>" not in answer.text
    assert len(assets) >= 4
    for asset in assets:
        assert asset.status_code == 200
        assert asset.headers["content-type"].startswith(("text/", "image/"))
        assert b"logo-mini.svg" not in asset.content


async def test_an_unknown_asset_is_not_found() -> None:
    async with World().client(None) as client:
        answers = [
            await client.get(f"/api/v1/docs/assets/{name}")
            for name in ("nothing.js", "..%2f..%2fapps.py", "swagger-ui.css.map")
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_documentation_that_is_off_is_not_there() -> None:
    async with World(options={"docs": False}).client(None) as client:
        answers = [
            await client.get(f"/api/v1/{path}")
            for path in ("docs", "redoc", "openapi.json", "docs/assets/page.css")
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]
    assert answers[0].headers["content-type"] == "application/problem+json"
