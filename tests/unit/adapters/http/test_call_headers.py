from decimal import Decimal
from time import perf_counter
from typing import Any

import pytest

from adapters.http.data_plane.call_headers import (
    CALL_HEADER_NAMES,
    LONGEST_IDENTITY,
    LONGEST_TAG,
    MOST_TAGS,
    Wishes,
    call_headers,
    late_headers,
    tags_in,
    traced,
    wishes_in,
)
from domain.inference.call import CacheUse, GuardrailVerdict
from domain.models.prices import Prices
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage
from tests.builders import PRICES, a_call

VERDICT = GuardrailVerdict(stage="input", rule="pii:email", action="redacted", count=2)


def wished(**headers: str) -> Wishes:
    encoded = [(f"x-stoa-{name}".encode(), value.encode()) for name, value in headers.items()]
    scope: Any = {"headers": [(b"accept", b"*/*"), *encoded]}
    return wishes_in(scope)


def test_a_client_that_says_nothing_wishes_nothing() -> None:
    assert wished() == Wishes()
    assert wished(unknown="x") == Wishes()
    assert wished(tags=" , ", privacy="", user="", conversation="") == Wishes()


def test_tags_are_taken_one_by_one_and_once() -> None:
    assert wished(tags="night, batch 7,,night,ключ").tags == ("night", "batch 7", "ключ")


def test_privacy_user_and_conversation_are_taken() -> None:
    wishes = wished(privacy="local_only", user="ann", conversation="c-7")

    assert wishes == Wishes(local_only=True, user="ann", conversation="c-7")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("tags", ",".join(f"t{n}" for n in range(MOST_TAGS + 1))),
        ("tags", "x" * (LONGEST_TAG + 1)),
        ("privacy", "none"),
        ("user", "x" * (LONGEST_IDENTITY + 1)),
        ("conversation", "x" * (LONGEST_IDENTITY + 1)),
    ],
)
def test_what_cannot_be_kept_is_refused_by_the_name_of_its_header(header: str, value: str) -> None:
    with pytest.raises(InvalidError) as error:
        wished(**{header: value})

    assert error.value.param == f"x-stoa-{header}"


@pytest.mark.parametrize(
    ("said", "may_recall", "may_keep"),
    [
        ("no-store", False, False),
        ("No-Cache", False, True),
        ("max-age=0", False, True),
        ("max-age=1", True, True),
        ("x-no-store", True, True),
    ],
)
def test_a_client_may_do_without_the_cache(said: str, *, may_recall: bool, may_keep: bool) -> None:
    scope: Any = {"headers": [(b"cache-control", said.encode())]}

    wishes = wishes_in(scope)

    assert (wishes.may_recall, wishes.may_keep) == (may_recall, may_keep)


def test_a_recalled_answer_tells_its_age() -> None:
    state: dict[str, Any] = {}
    trace = traced(state)
    trace.call, trace.age_s = a_call(cache=CacheUse.HIT), 7

    told = dict(call_headers(state, perf_counter()))

    assert (told[b"x-stoa-cache"], told[b"age"]) == (b"hit", b"7")


def test_a_request_without_a_call_has_no_headers() -> None:
    state: dict[str, Any] = {}
    assert (call_headers(state, perf_counter()), late_headers(state)) == ([], b"")

    traced(state)
    assert (call_headers(state, perf_counter()), late_headers(state)) == ([], b"")


@pytest.mark.parametrize(
    ("said", "tags"), [(b"a, b", ("a", "b")), (b"x" * 65, ()), (b"", ()), (b"\xff", ("\ufffd",))]
)
def test_tags_that_cannot_be_are_none_of_a_refused_call(said: bytes, tags: tuple[str, ...]) -> None:
    assert tags_in({"headers": [(b"x-stoa-tags", said)]}) == tags  # type: ignore[typeddict-item]


def test_a_call_that_reached_no_provider_tells_its_id() -> None:
    state: dict[str, Any] = {}
    traced(state).call = call = a_call(arm="b")

    told = dict(call_headers(state, perf_counter()))

    assert told[b"x-stoa-call-id"].decode() == str(call.id)
    assert told[b"x-stoa-arm"] == b"b"
    assert set(told) == {b"x-stoa-call-id", b"x-stoa-arm", b"x-stoa-overhead-ms"}


def test_an_answered_call_tells_how_it_was_made() -> None:
    state: dict[str, Any] = {}
    trace = traced(state)
    trace.call = a_call(
        cache=CacheUse.MISS, reason="fallback\r\nключ", routed_to="small", arm="a", deployment="b/ы"
    )
    trace.call.cost = Decimal("1E-7")
    trace.call.guardrails = (VERDICT, VERDICT)
    trace.attempts, trace.upstream_ms = 2, 1e9

    told = dict(call_headers(state, perf_counter()))

    assert {name.decode() for name in told} == set(CALL_HEADER_NAMES)
    assert told[b"x-stoa-model"] == b"small"
    found = b"input pii:email redacted 2"
    assert told[b"x-stoa-guardrails"] == found + b", " + found
    assert told[b"x-stoa-deployment"] == b"b/?"
    assert told[b"x-stoa-attempts"] == b"2"
    assert told[b"x-stoa-reason"] == b"fallback??????"
    assert told[b"x-stoa-cost"] == b"0.0000001"
    assert told[b"x-stoa-overhead-ms"] == b"0.000"


@pytest.mark.parametrize(
    ("price", "usage", "told"),
    [
        (None, None, b"unpriced"),
        (PRICES, Usage(prompt_tokens=9, audio_input_tokens=9), b"unpriced"),
        (PRICES, None, None),
    ],
    ids=["nobody knows the price", "nobody knows that of audio", "nobody knows the usage yet"],
)
def test_a_call_whose_cost_cannot_be_told_is_unpriced(
    price: Prices | None, usage: Usage | None, told: bytes | None
) -> None:
    state: dict[str, Any] = {}
    trace = traced(state)
    trace.call, trace.attempts = a_call(price=price, usage=usage), 1

    assert dict(call_headers(state, perf_counter())).get(b"x-stoa-cost") == told
