"""Who is far from his limits does not wait, and what he takes is counted all the same."""

from collections.abc import Callable

import pytest

from application.inference.limits.foresight import Foresight
from application.inference.limits.tally import Tally
from domain.identity.allowance import Limits
from domain.inference.rate import Demand, Spent, Standings
from tests.fixtures.demands import KEY, TEAM, a_demand, of_key

PLENTY = {"rpm": 1600, "tpm": 160_000}


class Counters:
    """What one process knows, on a clock that stands."""

    def __init__(self) -> None:
        self.now = 100.0
        self.foresight = Foresight(lambda: self.now)

    def say(
        self, demand: Demand, *, requests: float = 0, tokens: float = 0, running: int = 0
    ) -> None:
        spent = Spent(requests=requests, tokens=tokens, running=running)
        for one in demand.limited:
            key = (demand.team_id, demand.purpose, one.subject)
            self.foresight.hear(key, one.limits, spent, self.now)

    def admitted(self, demand: Callable[[], Demand]) -> int:
        """How many are admitted one after the other."""
        for count in range(10_000):
            if self.foresight.admit(demand()) is None:
                return count
        raise AssertionError("There is no end to it.")


@pytest.fixture
def counters() -> Counters:
    return Counters()


def requests_left(standings: Standings | None) -> int:
    assert standings is not None
    assert standings.requests is not None
    return standings.requests.remaining


def test_nobody_is_admitted_before_the_counter_has_said_anything(counters: Counters) -> None:
    assert counters.foresight.admit(of_key(**PLENTY)) is None
    assert not counters.foresight.has_to_tell


def test_a_sixteenth_of_what_remains_is_taken_on_the_same_news(counters: Counters) -> None:
    counters.say(of_key(rpm=1600), requests=800)

    assert counters.admitted(lambda: of_key(rpm=1600)) == 50


def test_tokens_are_bounded_in_the_same_way(counters: Counters) -> None:
    counters.say(of_key(**PLENTY))

    assert counters.admitted(lambda: of_key(**PLENTY, tokens=1000)) == 10


def test_places_are_bounded_in_the_same_way(counters: Counters) -> None:
    counters.say(of_key(concurrency=100), running=20)

    assert counters.admitted(lambda: of_key(concurrency=100)) == 5


@pytest.mark.parametrize("rpm", [1, 15])
def test_nobody_is_admitted_close_to_the_limit(counters: Counters, rpm: int) -> None:
    counters.say(of_key(rpm=rpm))

    assert counters.foresight.admit(of_key(rpm=rpm)) is None


def test_news_are_good_for_a_second(counters: Counters) -> None:
    counters.say(of_key(**PLENTY))

    counters.now += 1.1

    assert counters.foresight.admit(of_key(**PLENTY)) is None


def test_news_of_other_limits_are_none(counters: Counters) -> None:
    counters.say(of_key(rpm=1600))

    assert counters.foresight.admit(of_key(rpm=1601)) is None


def test_one_limit_that_is_close_is_enough(counters: Counters) -> None:
    def demand() -> Demand:
        return a_demand((TEAM, Limits(rpm=10)), (KEY, Limits(rpm=1600)))

    counters.say(demand())

    assert counters.foresight.admit(demand()) is None
    assert not counters.foresight.has_to_tell


def test_what_is_on_its_way_counts_until_it_has_arrived(counters: Counters) -> None:
    counters.say(of_key(rpm=1600), requests=800)
    counters.admitted(lambda: of_key(rpm=1600))

    [tally] = counters.foresight.tell()
    meanwhile = counters.foresight.admit(of_key(rpm=1600))
    counters.say(of_key(rpm=1600), requests=850)
    counters.foresight.told(tally)

    assert tally.requests == 50
    assert meanwhile is None
    assert counters.admitted(lambda: of_key(rpm=1600)) == 46


def test_those_who_wait_for_the_counter_count_too(counters: Counters) -> None:
    counters.say(of_key(rpm=160))
    waiting = [of_key(rpm=160) for _ in range(9)]
    for demand in waiting:
        counters.foresight.ask_for(demand)

    assert counters.admitted(lambda: of_key(rpm=160)) == 1
    for demand in waiting:
        counters.foresight.asked_for(demand)
    assert counters.admitted(lambda: of_key(rpm=160)) == 9


def test_what_remains_is_told_without_what_is_not_confirmed(counters: Counters) -> None:
    counters.say(of_key(rpm=1600), requests=100)

    first = counters.foresight.admit(of_key(rpm=1600))
    second = counters.foresight.admit(of_key(rpm=1600))

    assert (requests_left(first), requests_left(second)) == (1499, 1498)


def test_a_call_that_ends_before_it_was_told_of_is_told_of_as_what_it_used(
    counters: Counters,
) -> None:
    demand = of_key(**PLENTY, concurrency=100, tokens=1000)
    counters.say(demand)
    counters.foresight.admit(demand)

    counters.foresight.settle(demand, 30)

    assert _told(counters) == (1, 30, 0, 0, 0, 0)


def test_a_call_that_never_happened_and_was_not_told_of_is_no_news(counters: Counters) -> None:
    demand = of_key(**PLENTY, concurrency=100, tokens=1000)
    counters.say(demand)
    counters.foresight.admit(demand)

    counters.foresight.release(demand)

    assert counters.foresight.tell() == []


def test_what_was_told_of_is_given_back_apart(counters: Counters) -> None:
    demand = of_key(**PLENTY, concurrency=100, tokens=1000)
    counters.say(demand)
    counters.foresight.admit(demand)
    taken = _told(counters)

    counters.foresight.settle(demand, 30)

    assert taken == (1, 1000, 0, 0, 1, 0)
    assert _told(counters) == (0, 0, 0, 970, 0, 1)


def test_a_release_of_what_was_told_of_gives_all_back(counters: Counters) -> None:
    demand = of_key(**PLENTY, tokens=1000)
    counters.say(demand)
    counters.foresight.admit(demand)
    counters.foresight.tell()

    counters.foresight.release(demand)

    assert _told(counters) == (0, 0, 1, 1000, 0, 0)


def test_what_was_used_beyond_the_estimate_is_taken(counters: Counters) -> None:
    demand = of_key(tpm=160_000, tokens=10)

    counters.foresight.settle(demand, 1500)

    assert _told(counters) == (0, 1490, 0, 0, 0, 0)


def test_a_settlement_that_corrects_nothing_is_no_news(counters: Counters) -> None:
    counters.foresight.settle(of_key(rpm=10), 1500)
    counters.foresight.settle(of_key(tpm=1000, tokens=10), None)

    assert not counters.foresight.has_to_tell


def _told(counters: Counters) -> tuple[int, int, int, int, int, int]:
    [tally] = counters.foresight.tell()
    return _numbers(tally)


def _numbers(tally: Tally) -> tuple[int, int, int, int, int, int]:
    return (
        tally.requests,
        tally.tokens,
        tally.back_requests,
        tally.back_tokens,
        len(tally.places),
        len(tally.freed),
    )


def test_places_of_which_there_are_few_are_given_back_soon(counters: Counters) -> None:
    few = of_key(concurrency=2)
    counters.say(few, running=1)

    counters.foresight.settle(few, None)
    is_soon = counters.foresight.frees_scarce_places
    counters.foresight.tell()

    assert is_soon
    assert not counters.foresight.frees_scarce_places


def test_places_of_which_there_are_many_may_wait(counters: Counters) -> None:
    many = of_key(concurrency=100)
    counters.say(many, running=10)

    counters.foresight.settle(many, None)
    counters.foresight.release(many)

    assert counters.foresight.has_to_tell
    assert not counters.foresight.frees_scarce_places
