from typing import Any

import msgspec
import pytest

from adapters.http.limit_headers import (
    LIMIT_HEADER_NAMES,
    limit_headers,
    tell_of_api_limit,
    tell_what_remains,
    telling,
)
from adapters.http.problems import openai_error
from application.inference.show_limits import ShowLimits
from domain.identity.allowance import Allowance, Limits, Subject, SubjectKind
from domain.inference.errors import RateLimitedError
from domain.inference.rate import Limited, Measure, Standing, Standings
from domain.shared.errors import UnavailableError
from tests.builders import KEY_ID, an_actor
from tests.fakes.rate_limits import InMemoryRateLimits

KEY = Subject(SubjectKind.KEY, KEY_ID)
LIMITED = an_actor(allowances=(Allowance(subject=KEY, limits=Limits(rpm=5)),))


def shown(state: dict[str, Any]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in limit_headers(state)}


def test_an_answer_without_limits_has_no_such_headers() -> None:
    assert limit_headers({}) == ()


def test_v1_speaks_as_openai_does() -> None:
    state: dict[str, Any] = {}

    telling(state)(
        Standings(
            requests=Standing(limit=60, remaining=59, reset_s=1),
            tokens=Standing(limit=150_000, remaining=149_984, reset_s=0.0064),
        )
    )

    assert shown(state) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "7ms",
    }
    assert set(shown(state)) < set(LIMIT_HEADER_NAMES)


def test_only_what_is_limited_is_told() -> None:
    state: dict[str, Any] = {}

    telling(state)(Standings(tokens=Standing(limit=10, remaining=0, reset_s=360)))

    assert shown(state) == {
        "x-ratelimit-limit-tokens": "10",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0s",
    }


def test_the_management_api_speaks_as_the_draft_does() -> None:
    state: dict[str, Any] = {}

    tell_of_api_limit(state, Standing(limit=600, remaining=599, reset_s=0.1))

    assert shown(state) == {
        "ratelimit-policy": '"requests";q=600;w=60',
        "ratelimit": '"requests";r=599;t=1',
    }


async def test_what_was_told_already_is_not_looked_up() -> None:
    limits = InMemoryRateLimits()
    state: dict[str, Any] = {}
    telling(state)(Standings(requests=Standing(limit=5, remaining=1, reset_s=48)))

    await tell_what_remains(state, LIMITED, ShowLimits(limits=limits))

    assert shown(state)["x-ratelimit-remaining-requests"] == "1"


async def test_what_nobody_has_told_is_looked_up() -> None:
    state: dict[str, Any] = {}

    await tell_what_remains(state, LIMITED, ShowLimits(limits=InMemoryRateLimits()))

    assert shown(state)["x-ratelimit-remaining-requests"] == "5"


async def test_an_answer_goes_out_without_what_cannot_be_found_out() -> None:
    limits = InMemoryRateLimits()
    limits.asked.fail(UnavailableError("Away."))
    state: dict[str, Any] = {}

    await tell_what_remains(state, LIMITED, ShowLimits(limits=limits))

    assert shown(state) == {}


@pytest.mark.parametrize(
    ("measure", "openai_type"),
    [
        (Measure.REQUESTS, "requests"),
        (Measure.TOKENS, "tokens"),
        (Measure.CONCURRENCY, "requests"),
    ],
)
def test_a_reached_limit_looks_as_openai_shows_it(measure: Measure, openai_type: str) -> None:
    answer = openai_error(RateLimitedError("Slow.", measure=measure, retry_after=0.25))

    error = msgspec.json.decode(answer.body)["error"]
    assert (error["type"], error["code"]) == (openai_type, "rate_limit_exceeded")
    assert answer.headers == [(b"retry-after", b"1"), (b"retry-after-ms", b"250")]


def test_what_never_fits_is_not_to_be_tried_again() -> None:
    limited = Limited(subject=KEY, limits=Limits(tpm=10))

    answer = openai_error(RateLimitedError.too_large(limited, 11))

    assert answer.headers == [(b"x-should-retry", b"false")]
