"""Requests made up from the OpenAPI document: whatever is sent, the answer is one that the document
foresees, and never the server's fault."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.conftest import SCRIPTED
from tests.fixtures.server import StoaServer

EXAMPLES = 50 if os.environ.get("STOA_TEST_THOROUGH") else 6
# So many requests come that they would soon be refused for being too many.
PLENTY = {"STOA_API_REQUESTS_PER_MINUTE": "1000000"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# These never end, and have tests of their own.
ENDLESS = {"/api/v1/events/stream"}


@pytest.fixture(scope="module")
def roaming_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoaServer]:
    """A server of its own, since anything may happen to what it keeps."""
    data_dir = tmp_path_factory.mktemp("roaming")
    with StoaServer(data_dir=data_dir, config=SCRIPTED, settings=PLENTY) as running:
        yield running


def test_every_operation_answers_as_documented(roaming_server: StoaServer) -> None:
    document = schemathesis.openapi.from_url(f"{roaming_server.url}/api/v1/openapi.json")
    headers = {"authorization": f"Bearer {roaming_server.key}"}
    failures: list[str] = []

    found: Any
    for found in document.get_all_operations():
        operation = found.ok()
        if operation.path in ENDLESS:
            continue
        try:
            _send_what_it_might_get(operation, roaming_server.url, headers)
        except* Exception as failed:  # noqa: BLE001 - all of them are told at the end
            failures += [f"{operation.label}: {one}" for one in failed.exceptions]

    assert not failures, "\n\n".join(failures)


def _send_what_it_might_get(operation: Any, url: str, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(base_url=url, headers=headers, checks=CHECKS, timeout=30)

    send()
