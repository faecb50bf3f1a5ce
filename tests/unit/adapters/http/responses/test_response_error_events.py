import json
from uuid import UUID

import pytest

from adapters.http.responses.served import ResponsesManner
from domain.inference.errors import ProviderFailedError, ProviderRateLimitedError
from domain.inference.response_errors import PreviousResponseNotFoundError
from domain.shared.errors import StoaError

REQUEST_ID = UUID(int=1)


@pytest.mark.parametrize(
    ("last", "number"),
    [
        (b"", 0),
        (b'event: x\ndata: {"sequence_number":7}\n\ndata: {"sequence_number": 8}\n\n', 9),
        (b"half of an ev", 0),
    ],
)
def test_an_error_is_the_event_after_the_last(last: bytes, number: int) -> None:
    event = ResponsesManner().error_event(ProviderFailedError("It broke."), REQUEST_ID, last)

    name, _, data = event.partition(b"\n")
    said = json.loads(data.removeprefix(b"data: "))
    assert name == b"event: error"
    assert (said["type"], said["sequence_number"]) == ("error", number)
    assert (said["code"], said["message"]) == ("provider_error", "It broke.")
    assert said["error"] == {
        "message": "It broke.",
        "type": "api_error",
        "param": None,
        "code": "provider_error",
    }


def test_errors_have_the_words_that_openai_has_for_them() -> None:
    error: StoaError = ProviderRateLimitedError("Slower.")

    event = ResponsesManner().error_event(error, REQUEST_ID)

    assert json.loads(event.partition(b"data: ")[2])["code"] == "rate_limit_exceeded"


def test_a_response_that_is_not_there_to_go_on_from_is_a_wrong_parameter() -> None:
    answer = ResponsesManner().error(PreviousResponseNotFoundError("resp_1"), REQUEST_ID)

    assert answer.status == 400
    assert json.loads(answer.body)["error"] == {
        "message": "Previous response with id 'resp_1' not found.",
        "type": "invalid_request_error",
        "param": "previous_response_id",
        "code": "previous_response_not_found",
    }
