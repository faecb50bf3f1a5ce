"""Every operation of the API's document, called by everybody who should not get far with it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import SCRIPTED
from tests.e2e.isolation.company import Company, found_company, log_in
from tests.e2e.isolation.expectations import SERVED, Expectation
from tests.e2e.isolation.matrix import ENDING, MATRIX
from tests.fakes.media_wire import a_sound
from tests.fixtures.server import StoaServer

PEOPLE = ("viewer", "member", "stranger")
PRINCIPALS = ("anonymous", "revoked", "scopeless", *PEOPLE)
REFUSALS = (401, 403, 404)
NAMES = {"get_model": "parrot", "get_setting": "content_capture", "reset_setting": "enable_tools"}


@pytest.fixture(scope="module")
def two_teams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoaServer]:
    with StoaServer(data_dir=tmp_path_factory.mktemp("two-teams"), config=SCRIPTED) as running:
        yield running


@pytest.fixture(scope="module")
def company(two_teams: StoaServer) -> Company:
    return found_company(two_teams)


@pytest.fixture(scope="module")
def operations(two_teams: StoaServer) -> dict[str, tuple[str, str]]:
    """Method and path by the operation's id."""
    document = httpx.get(f"{two_teams.url}/api/v1/openapi.json").json()
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_every_operation_has_an_expectation(operations: dict[str, tuple[str, str]]) -> None:
    assert sorted(operations) == sorted(MATRIX)


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_nobody_gets_further_than_expected(
    principal: str,
    two_teams: StoaServer,
    company: Company,
    operations: dict[str, tuple[str, str]],
) -> None:
    wrong: list[str] = []

    with httpx.Client(base_url=two_teams.url, timeout=30) as client:
        client.headers.update(company.credentials[principal])
        for name, expected in MATRIX.items():
            method, path = operations[name]
            if name in ENDING and principal in PEOPLE:
                client.headers.update(log_in(two_teams, principal))
            status, text = _call(client, method, _filled(name, path, company), expected)
            if not _is_as_expected(status, getattr(expected, principal)):
                wrong.append(f"{name} ({method} {path}): {status} {text[:200]}")
            if principal == "stranger":
                wrong += [f"{name} shows {mark}" for mark in company.marks if mark in text]

    assert wrong == []


def _call(client: httpx.Client, method: str, path: str, expected: Expectation) -> tuple[int, str]:
    request: Any = {"params": expected.query}
    if expected.body is not None:
        request["json"] = expected.body
    if expected.upload is not None:
        request |= {"data": expected.upload, "files": {"file": ("a.wav", a_sound(), "audio/wav")}}
    with client.stream(method, path, **request) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, ""
        return answer.status_code, answer.read().decode(errors="replace")


def _filled(name: str, path: str, company: Company) -> str:
    for part, value in company.objects.items():
        path = path.replace(f"{{{part}}}", value)
    return path.replace("{name}", NAMES.get(name, ""))


def _is_as_expected(status: int, expected: int) -> bool:
    return status not in REFUSALS and status < 500 if expected == SERVED else status == expected
