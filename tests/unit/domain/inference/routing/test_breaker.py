import pytest

from domain.inference.routing.breaker import (
    MOST_DOUBLINGS,
    Breaker,
    BreakerState,
    BreakerTerms,
)

TERMS = BreakerTerms(failures=3, error_rate=0.5, least_calls=10, window_s=30.0, cooldown_s=10.0)


def failing(breaker: Breaker, times: int, now: float = 0.0) -> float | None:
    outcomes = [breaker.fail(now, TERMS) for _ in range(times)]
    return outcomes[-1]


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker()

    assert failing(breaker, 2) is None
    assert breaker.admits(0.0)
    assert failing(breaker, 1) == 10.0
    assert not breaker.admits(9.9)
    assert breaker.state(9.9) is BreakerState.OPEN


def test_a_success_begins_the_row_anew() -> None:
    breaker = Breaker()
    failing(breaker, 2)

    assert not breaker.succeed(0.0, TERMS, began=0.0)
    assert failing(breaker, 2) is None
    assert breaker.state(0.0) is BreakerState.CLOSED


def test_it_opens_when_too_large_a_share_of_the_window_fails() -> None:
    breaker = Breaker()
    for _ in range(5):
        breaker.succeed(0.0, TERMS, began=0.0)
        assert breaker.admits(0.0)
        opened = breaker.fail(0.0, TERMS)

    assert opened == 10.0


def test_the_share_of_few_calls_says_nothing() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.succeed(0.0, TERMS, began=0.0)
        assert breaker.fail(0.0, TERMS) is None


def test_what_is_older_than_the_window_does_not_count() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.succeed(0.0, TERMS, began=0.0)
        breaker.fail(0.0, TERMS)
    breaker.succeed(1.0, TERMS, began=1.0)

    assert breaker.fail(31.1, TERMS) is None


@pytest.mark.parametrize(
    "terms",
    [
        BreakerTerms(failures=0, error_rate=0.0, least_calls=1),
        BreakerTerms(failures=1, error_rate=0.1, least_calls=1, cooldown_s=0.0),
    ],
    ids=["for no reason", "for no time"],
)
def test_it_never_opens_where_it_may_not(terms: BreakerTerms) -> None:
    breaker = Breaker()

    assert [breaker.fail(0.0, terms) for _ in range(100)] == [None] * 100
    assert breaker.admits(0.0)


def test_half_open_it_lets_one_call_through_at_a_time() -> None:
    breaker = Breaker()
    failing(breaker, 3)

    assert breaker.state(10.0) is BreakerState.HALF_OPEN
    assert breaker.admits(10.0)
    breaker.begin(10.0, TERMS)
    assert not breaker.admits(10.0)
    assert breaker.wait_s(12.0) == 8.0


def test_a_probe_that_succeeds_closes_it() -> None:
    breaker = Breaker()
    failing(breaker, 3)
    breaker.begin(10.0, TERMS)

    assert breaker.succeed(11.0, TERMS, began=10.0)
    assert breaker.state(11.0) is BreakerState.CLOSED
    assert failing(breaker, 2, 11.0) is None


def test_each_probe_that_fails_opens_it_for_longer_up_to_a_limit() -> None:
    breaker = Breaker()
    now, lengths = 0.0, []
    failing(breaker, 3)
    for _ in range(MOST_DOUBLINGS + 2):
        now += 1000.0
        breaker.begin(now, TERMS)
        lengths.append(breaker.fail(now, TERMS))

    assert lengths == [20.0, 40.0, 80.0, 80.0, 80.0]


def test_a_probe_that_says_nothing_lets_the_next_one_through() -> None:
    breaker = Breaker()
    failing(breaker, 3)
    assert breaker.begin(10.0, TERMS)

    assert breaker.abandon(11.0)

    assert breaker.admits(11.0)
    assert not breaker.abandon(11.0)


def test_a_call_that_is_made_all_the_same_is_no_probe() -> None:
    breaker = Breaker()
    failing(breaker, 3)

    assert not breaker.begin(5.0, TERMS)
    assert not breaker.abandon(6.0)


def test_a_probe_that_is_never_heard_of_again_does_not_keep_it_shut() -> None:
    breaker = Breaker()
    failing(breaker, 3)
    breaker.begin(10.0, TERMS)

    assert not breaker.admits(19.9)
    assert breaker.admits(20.0)


def test_a_failure_of_a_call_from_before_changes_nothing() -> None:
    breaker = Breaker()
    failing(breaker, 3)

    assert breaker.fail(5.0, TERMS) is None
    assert breaker.wait_s(5.0) == 5.0


def test_a_success_of_a_call_from_before_changes_nothing() -> None:
    breaker = Breaker()
    failing(breaker, 3, 1.0)

    assert not breaker.succeed(5.0, TERMS, began=0.5)
    assert breaker.state(5.0) is BreakerState.OPEN


def test_a_success_of_a_call_that_was_made_all_the_same_closes_it() -> None:
    breaker = Breaker()
    failing(breaker, 3, 1.0)

    assert breaker.succeed(5.0, TERMS, began=2.0)
    assert breaker.state(5.0) is BreakerState.CLOSED


def test_a_closed_one_keeps_nobody_waiting() -> None:
    breaker = Breaker()

    assert not breaker.begin(0.0, TERMS)
    assert breaker.admits(0.0)
    assert breaker.wait_s(0.0) == 0.0


def test_it_is_forgettable_when_it_knows_nothing_that_counts() -> None:
    breaker = Breaker()
    assert breaker.is_forgettable(0.0, TERMS)

    breaker.fail(0.0, TERMS)
    assert not breaker.is_forgettable(0.0, TERMS)
    breaker.succeed(0.0, TERMS, began=0.0)
    assert not breaker.is_forgettable(0.0, TERMS)
    assert breaker.is_forgettable(30.1, TERMS)
    failing(breaker, 3, 31.0)
    assert not breaker.is_forgettable(100.0, TERMS)
