"""The shape that Anthropic uses for failures: OpenAI's, with types of its own."""

from dataclasses import replace

from adapters.providers.failures.failure import Failure
from adapters.providers.failures.openai import openai_failure

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def anthropic_failure(body: bytes) -> Failure:
    failure = openai_failure(body)
    return replace(failure, said_status=_STATUSES.get(failure.type or ""))
