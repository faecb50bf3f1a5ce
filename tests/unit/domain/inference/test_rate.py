import pytest

from domain.identity.allowance import Limits, Subject, SubjectKind
from domain.inference.errors import RateLimitedError
from domain.inference.rate import (
    Demand,
    Limited,
    Measure,
    Purpose,
    Spent,
    Standing,
    Standings,
    duration,
    worst_shortage,
)
from tests.builders import KEY_ID, TEAM_ID

KEY = Subject(SubjectKind.KEY, KEY_ID)
TEAM = Subject(SubjectKind.TEAM, TEAM_ID)


def a_demand(*limited: tuple[Subject, Limits], tokens: int = 0) -> Demand:
    return Demand(
        id=KEY_ID,
        team_id=TEAM_ID,
        purpose=Purpose.CALLS,
        limited=tuple(Limited(subject=one, limits=limits) for one, limits in limited),
        tokens=tokens,
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (0.0001, "1ms"),
        (0.02, "20ms"),
        (0.9999, "1s"),
        (1, "1s"),
        (1.5, "1.5s"),
        (59.9999, "1m0s"),
        (90, "1m30s"),
        (360, "6m0s"),
        (3661.25, "1h1m1.25s"),
    ],
)
def test_durations_look_as_openai_writes_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_a_bucket_fills_with_its_limit_in_a_minute() -> None:
    limits = Limits(rpm=60, tpm=6000)

    after = Spent(requests=30, tokens=6000).grown_back(limits, 15)

    assert (after.requests, after.tokens) == (15, 4500)


def test_a_bucket_is_never_fuller_than_full() -> None:
    after = Spent(requests=30, tokens=10).grown_back(Limits(rpm=60, tpm=60), 3600)

    assert after == Spent()


def test_a_clock_that_went_back_takes_nothing_away() -> None:
    assert Spent(requests=30).grown_back(Limits(rpm=60), -10) == Spent(requests=30)


def test_what_is_not_limited_is_not_counted() -> None:
    after = Spent(requests=5, tokens=7, running=2).grown_back(Limits(rpm=60), 0)

    assert after == Spent(requests=5, running=2)


@pytest.mark.parametrize(
    ("limits", "has_room"),
    [
        (Limits(), True),
        (Limits(rpm=10), True),
        (Limits(rpm=9), False),
        (Limits(tpm=150), True),
        (Limits(tpm=149), False),
        (Limits(concurrency=3), True),
        (Limits(concurrency=2), False),
        (Limits(rpm=100, tpm=100, concurrency=100), False),
    ],
)
def test_there_is_room_up_to_the_limit_and_no_further(limits: Limits, has_room: bool) -> None:
    spent = Spent(requests=9, tokens=100, running=2)

    assert spent.has_room(limits, 50) is has_room


def test_nothing_that_is_given_back_makes_more_room_than_the_limit() -> None:
    assert (
        Spent(requests=0.5, tokens=10, running=0).plus(requests=-1, tokens=-50, running=-1)
        == Spent()
    )


def test_the_tightest_limit_is_shown() -> None:
    standings = Standings.of(
        [
            (Limits(rpm=100), Spent(requests=95.5)),
            (Limits(rpm=10, tpm=60), Spent(requests=2, tokens=90)),
            (Limits(concurrency=1), Spent(running=1)),
        ]
    )

    assert standings.requests is not None
    assert (standings.requests.limit, standings.requests.remaining) == (100, 4)
    assert standings.requests.reset_s == pytest.approx(57.3)
    assert standings.tokens == Standing(limit=60, remaining=0, reset_s=90)


def test_no_limits_stand_nowhere() -> None:
    assert Standings.of([(Limits(concurrency=1), Spent())]) == Standings()


def test_an_estimate_reserves_no_more_than_there_can_be() -> None:
    limited = Limited(subject=KEY, limits=Limits(tpm=100))

    assert (limited.reserved(60), limited.reserved(500)) == (60, 100)
    assert (limited.correction(500, 30), limited.correction(60, 300)) == (-70, 240)
    assert limited.correction(60, None) == 0
    assert Limited(subject=KEY, limits=Limits(rpm=1)).correction(60, 300) == 0


def test_the_limit_with_the_longest_wait_is_named() -> None:
    demand = a_demand((TEAM, Limits(rpm=60, tpm=60)), (KEY, Limits(concurrency=1)), tokens=10)
    states = [Spent(requests=60, tokens=80), Spent(running=1)]

    shortage = worst_shortage(demand, states)

    assert (shortage.measure, shortage.limited.subject) == (Measure.TOKENS, TEAM)
    assert (shortage.used, shortage.wanted, shortage.retry_s) == (80, 10, 30)


def test_the_words_are_those_that_openais_clients_look_for() -> None:
    demand = a_demand((KEY, Limits(rpm=60)))
    shortage = worst_shortage(demand, [Spent(requests=65)])

    error = RateLimitedError.short_of(shortage, Standings())

    assert error.message == (
        "Rate limit reached for this key on requests per min (RPM): Limit 60, Used 65,"
        " Requested 1. Please try again in 6s."
    )
    assert error.retry_after == 6


def test_running_calls_are_counted_in_words_of_their_own() -> None:
    shortage = worst_shortage(a_demand((KEY, Limits(concurrency=2))), [Spent(running=2)])

    error = RateLimitedError.short_of(shortage, Standings())

    assert error.message.startswith("Limit of calls at the same time reached for this key: Limit 2")
    assert error.retry_after == 1.0
