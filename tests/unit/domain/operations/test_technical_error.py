from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.operations.technical_error import ErrorGroup, ErrorState
from domain.shared.ids import ErrorGroupId, UserId
from tests.builders import USER_ID, an_occurrence
from tests.fakes.clock import START

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def a_group(**first: Any) -> ErrorGroup:
    return ErrorGroup.of(an_occurrence(**first), ErrorGroupId(UUID(int=1)))


def test_a_group_counts_and_keeps_the_first_time_and_the_last_message() -> None:
    group = a_group(at=START)

    for at, message in ((START + HOUR, "late"), (START, "first"), (START - HOUR, "early")):
        group.happened(an_occurrence(at=at, message=message))

    assert group.count == 3
    assert (group.first_seen, group.last_seen) == (START - HOUR, START + HOUR)
    assert group.message == "late"


def test_a_resolved_group_reopens_when_it_happens_again() -> None:
    group = a_group(at=START)
    group.change(ErrorState.RESOLVED, at=START, by=USER_ID)

    reopened = group.happened(an_occurrence(at=START + SECOND))

    assert reopened
    assert group.state is ErrorState.OPEN
    assert (group.resolved_at, group.resolved_by) == (None, None)
    assert not group.happened(an_occurrence(at=START + HOUR))


def test_what_happened_before_a_group_was_resolved_does_not_reopen_it() -> None:
    group = a_group(at=START)
    group.change(ErrorState.RESOLVED, at=START + HOUR, by=None)

    assert not group.happened(an_occurrence(at=START + SECOND))
    assert group.state is ErrorState.RESOLVED


def test_an_ignored_group_stays_ignored() -> None:
    group = a_group(at=START)
    group.change(ErrorState.IGNORED, at=START, by=None)

    assert not group.happened(an_occurrence(at=START + HOUR))
    assert group.state is ErrorState.IGNORED


def test_resolving_twice_keeps_who_did_it_first() -> None:
    group = a_group(at=START)
    group.change(ErrorState.RESOLVED, at=START, by=USER_ID)

    group.change(ErrorState.RESOLVED, at=START + HOUR, by=UserId(UUID(int=9)))

    assert (group.resolved_at, group.resolved_by) == (START, USER_ID)


def test_a_group_that_is_reopened_or_ignored_forgets_that_it_was_resolved() -> None:
    group = a_group(at=START)
    for state in (ErrorState.OPEN, ErrorState.IGNORED):
        group.change(ErrorState.RESOLVED, at=START, by=USER_ID)

        group.change(state, at=START, by=USER_ID)

        assert (group.state, group.resolved_at, group.resolved_by) == (state, None, None)


@pytest.mark.parametrize(
    ("recent", "threshold", "spikes"), [(19, 20, False), (20, 20, True), (500, 0, False)]
)
def test_a_spike_begins_at_the_threshold(recent: int, threshold: int, spikes: bool) -> None:
    group = a_group(at=START)

    assert group.spikes(recent, threshold, at=START, silence=HOUR) is spikes


def test_a_spike_is_told_once_an_hour() -> None:
    group = a_group(at=START)

    told = [
        group.spikes(20, 20, at=START + span, silence=HOUR)
        for span in (timedelta(0), SECOND, HOUR - SECOND, HOUR, HOUR + SECOND)
    ]

    assert told == [True, False, False, True, False]


def test_no_spike_of_an_ignored_group_is_told() -> None:
    group = a_group(at=START)
    group.change(ErrorState.IGNORED, at=START, by=None)

    assert not group.spikes(100, 20, at=START, silence=HOUR)
