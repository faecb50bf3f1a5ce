from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from litestar import get
from structlog.testing import capture_logs

from domain.shared.errors import UpstreamError
from tests.e2e.api.world import World


@get("/v1/crash", include_in_schema=False)
async def crash_in_the_dialect() -> None:
    raise RuntimeError("canary")


@get("/crash", include_in_schema=False)
async def crash() -> None:
    raise RuntimeError("canary")


@get("/provider", include_in_schema=False)
async def failing_provider() -> None:
    raise UpstreamError("The provider failed.")


@get("/leak", include_in_schema=False)
async def leak() -> None:
    raise RuntimeError("no route to postgresql://stoa:canary@db/stoa")


HANDLERS = (crash, crash_in_the_dialect, failing_provider, leak)


async def ask(world: World, method: str, path: str, **request: object) -> httpx.Response:
    async with world.client() as client:
        return await client.request(method, path, **request)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "ROUTE_NOT_FOUND"),
        ("GET", "/api/v1/nothing", 404, "ROUTE_NOT_FOUND"),
        ("GET", "/api/v1", 404, "ROUTE_NOT_FOUND"),
        ("GET", "/v10/models", 404, "ROUTE_NOT_FOUND"),
        ("PUT", "/api/v1/keys", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/crash", 500, "INTERNAL_ERROR"),
    ],
)
async def test_framework_errors_are_problems(
    method: str, path: str, status: int, code: str
) -> None:
    answer = await ask(World(route_handlers=HANDLERS), method, path)

    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["code"] == code
    assert body["type"] == f"/problems/{code.lower().replace('_', '-')}"
    assert body["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert body["correlation_id"] == answer.headers["x-correlation-id"]
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    ("path", "status", "kind", "code"),
    [
        ("/v1", 404, "not_found_error", "unknown_url"),
        ("/v1/nothing", 404, "not_found_error", "unknown_url"),
        ("/v1/crash", 500, "api_error", "internal_error"),
    ],
)
async def test_framework_errors_under_v1_speak_openais_dialect(
    path: str, status: int, kind: str, code: str
) -> None:
    answer = await ask(World(route_handlers=HANDLERS), "GET", path)

    error = answer.json()["error"]
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"], error["code"]) == (kind, None, code)
    assert "canary" not in answer.text


async def test_framework_errors_under_messages_speak_anthropics_dialect() -> None:
    answer = await ask(World(), "GET", "/v1/messages/batches")

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "not_found_error"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_wrong_method_is_told_the_right_ones() -> None:
    answer = await ask(World(), "PUT", "/api/v1/team")

    assert answer.headers["allow"] == "GET, OPTIONS, PATCH"


async def test_development_names_the_exception() -> None:
    world = World(route_handlers=HANDLERS, options={"debug": True})

    answer = await ask(world, "GET", "/crash")

    assert answer.json()["debug"] == {"exception": "RuntimeError", "message": "canary"}


async def test_development_names_no_credentials() -> None:
    world = World(route_handlers=HANDLERS, options={"debug": True})

    answer = await ask(world, "GET", "/leak")

    assert answer.json()["debug"]["message"] == "no route to postgresql://stoa:[MASKED]@db/stoa"


async def test_a_technical_error_is_logged_with_its_traceback_under_the_id_shown() -> None:
    with capture_logs() as logs:
        answer = await ask(World(route_handlers=HANDLERS), "GET", "/crash")

    (entry,) = logs
    assert entry["log_level"] == "error"
    assert entry["error_id"] == answer.json()["id"]
    assert isinstance(entry["exc_info"], RuntimeError)


async def test_a_functional_error_is_logged_as_a_warning_without_traceback() -> None:
    with capture_logs() as logs:
        await ask(World(), "GET", "/nothing")

    (entry,) = logs
    assert (entry["log_level"], entry["code"]) == ("warning", "ROUTE_NOT_FOUND")
    assert "exc_info" not in entry


async def test_errors_of_our_own_keep_their_words() -> None:
    answer = await ask(World(route_handlers=HANDLERS), "GET", "/provider")

    assert answer.status_code == 502
    assert answer.json()["detail"] == "The provider failed."
    assert str(UUID(answer.json()["id"])) == answer.json()["id"]


@pytest.mark.parametrize(
    "body", [b"{canary", b"[]", b"", b"\xff\xfe", b'{"name": "\xff"}', b"[" * 1500], ids=repr
)
async def test_an_unreadable_body_is_a_400(body: bytes) -> None:
    answer = await ask(World(), "POST", "/api/v1/keys", content=body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "VALIDATION_ERROR"
    assert "canary" not in answer.text


async def test_a_body_that_is_too_large_is_a_413() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 100

    announced = await ask(World(), "POST", "/api/v1/keys", content=b"x" * 3000)
    chunked = await ask(World(), "POST", "/api/v1/keys", content=endless())

    for answer in (announced, chunked):
        assert answer.status_code == 413
        assert answer.json()["code"] == "PAYLOAD_TOO_LARGE"


async def test_credentials_are_checked_before_the_body() -> None:
    async with World().client("sk-stoa-wrong") as client:
        answer = await client.post("/api/v1/keys", content=b"{")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "sk-stoa-wrong" not in answer.text


@pytest.mark.parametrize("header", ["", "Basic eDp5", "Bearer", "Bearer "])
async def test_no_bearer_token_is_no_credentials(header: str) -> None:
    async with World().client(None) as client:
        answer = await client.get("/api/v1/team", headers={"authorization": header})

    assert answer.status_code == 401
    assert answer.json()["code"] == "CREDENTIALS_MISSING"


async def test_a_query_parameter_that_is_given_twice_is_named() -> None:
    answer = await ask(World(), "GET", "/api/v1/keys?page=1&page_size=5&page=2")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["page"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "x, gzip"])
async def test_a_compressed_body_is_a_415(encoding: str) -> None:
    headers = {"content-encoding": encoding}

    answer = await ask(World(), "POST", "/api/v1/keys", content=b"{}", headers=headers)

    assert answer.status_code == 415
    assert answer.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"


async def test_all_unknown_query_parameters_are_named() -> None:
    answer = await ask(World(), "GET", "/api/v1/team?b=1&a=canary")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["a", "b"]
    assert "canary" not in answer.text
