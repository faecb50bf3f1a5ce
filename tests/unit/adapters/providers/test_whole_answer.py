import pytest

from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
from adapters.providers.openai_compatible.answer import whole_answer
from adapters.providers.openai_compatible.request import UpstreamBody
from application.inference.ports import ProviderAnswer
from domain.inference.errors import ProviderBusyError, ProviderFailedError, ProviderRejectedError
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

FULL = (
    b'{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,'
    b'"prompt_tokens_details":{"cached_tokens":5},'
    b'"completion_tokens_details":{"reasoning_tokens":2}}'
)
BESIDE = (
    b'{"prompt_tokens":37,"completion_tokens":530,"total_tokens":800,'
    b'"completion_tokens_details":{"reasoning_tokens":233}}'
)
BESIDE_WITHOUT_TOTAL = (
    b'{"prompt_tokens":5,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":7}}'
)


def answered(body: bytes, *, public_name: str = "large") -> ProviderAnswer:
    return whole_answer(
        body,
        UpstreamBody(b"{}", public_name, 7),
        upstream_name="acme/large-2",
        request_id="req-1",
        errors=ErrorMapping("acme", [], openai_failure),
    )


@pytest.mark.parametrize("space", [b"", b" "], ids=["compact", "spaced"])
def test_only_the_name_of_the_model_changes(space: bytes) -> None:
    body = (
        b'{"id":"x","model":%b"acme/large-2","choices":[{"message":{"content":'
        b'"the \\"model\\":\\"acme/large-2\\""}}],"extra": 1.0e0 }' % space
    )

    answer = answered(body)

    assert answer.body == body.replace(b'"acme/large-2","ch', b'"large","ch')
    assert answer.provider_request_id == "req-1"


@pytest.mark.parametrize("name", ["acme/large-2", "other-name"])
def test_a_body_without_that_name_is_not_touched(name: str) -> None:
    body = b'{"model":"%b","choices":[]}' % name.encode()

    assert answered(body, public_name="acme/large-2").body is body


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            FULL,
            Usage(prompt_tokens=9, cached_tokens=5, completion_tokens=4, reasoning_tokens=2),
        ),
        (
            BESIDE,
            Usage(prompt_tokens=37, completion_tokens=763, reasoning_tokens=233),
        ),
        (
            BESIDE_WITHOUT_TOTAL,
            Usage(prompt_tokens=5, completion_tokens=9, reasoning_tokens=7),
        ),
        (b'{"prompt_tokens":9}', Usage(prompt_tokens=9)),
        (
            b'{"prompt_tokens":9,"completion_tokens":null,"prompt_tokens_details":null}',
            Usage(prompt_tokens=9),
        ),
    ],
    ids=["full", "thoughts beside", "thoughts beside without a total", "embedding", "nulls"],
)
def test_usage_is_read(usage: bytes, expected: Usage) -> None:
    answer = answered(b'{"choices":[{"finish_reason":"length"}],"usage":%b}' % usage)

    assert answer.usage == expected
    assert answer.finish_reason == "length"


@pytest.mark.parametrize(
    "usage",
    [
        b"null",
        b"[]",
        b"{}",
        b'{"prompt_tokens":"9"}',
        b'{"prompt_tokens":9223372036854775808}',
        b'{"prompt_tokens":1000000000000000000000000000000}',
        b'{"prompt_tokens":1e400}',
    ],
)
def test_without_readable_usage_the_tokens_are_counted(usage: bytes) -> None:
    answer = answered(
        b'{"choices":[{"message":{"content":"0123456789"},"finish_reason":"stop"}],"usage":%b}'
        % usage
    )

    assert answer.usage == Usage(prompt_tokens=7, completion_tokens=3, counted=True)
    assert answer.finish_reason == "stop"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"text"',
        b"null",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"detail":"Unauthorized"}',
        b'{"choices":null,"data":null}',
        b'{"object":1}',
    ],
)
def test_what_says_nothing_is_no_answer(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        answered(body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error":{"message":"boom"}}', ProviderFailedError),
        (b'{"error":{"message":"no","type":"invalid_request_error"}}', ProviderRejectedError),
        (b'{"error":{"message":"no","code":503}}', ProviderBusyError),
        (b'{"error":"boom","usage":[]}', ProviderFailedError),
        (b'{"object":"error","message":"no","code":400}', ProviderRejectedError),
    ],
)
def test_an_error_inside_a_200_is_an_error(body: bytes, kind: type[StoaError]) -> None:
    with pytest.raises(StoaError) as caught:
        answered(body)

    assert type(caught.value) is kind


def test_a_null_error_is_none() -> None:
    assert answered(b'{"choices":[],"error":null}').finish_reason is None
